"""What a survey found: counted from responses, shown without anybody standing out, told in one sentence a chart.

`counting` adds responses up, `hiding` decides which numbers would point at somebody, `published` is what may be seen,
`drawn` makes charts and tables of it, `progress` and `checklist` say how a survey stands and what it still lacks.
"""
