"""Words: everything a person is told or asked, as data, checked when it is loaded."""
