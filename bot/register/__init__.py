"""The register at the edge: files of lists read, previews shown, tables written."""
