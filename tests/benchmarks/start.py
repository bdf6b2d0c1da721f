def measure():
    yield from ()
