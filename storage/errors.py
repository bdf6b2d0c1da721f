"""What can go wrong with the store.

StoreError
├── StoreUnavailable      nothing was kept, the same message may come again
├── DatabaseTooNew        made by a later version
├── DatabaseTooOld        wants `python -m bot migrate`
├── FormChanged           a published version of a form has other content now
├── AnswersUnsaved        answers were given to a response that is not there
└── TooManyRounds         a dialogue kept asking for outcomes
"""

import sqlalchemy as sa


class StoreError(Exception):
    """The store cannot do this."""


class StoreUnavailable(StoreError):
    """The database is locked, full or gone; nothing was kept and the same message may come again."""


class DatabaseTooNew(StoreError):
    """The database was made by a later version of this program."""


class DatabaseTooOld(StoreError):
    """The database was made by an earlier version of this program and wants `python -m bot migrate`."""


class FormChanged(StoreError):
    """A form was changed without giving it a new version."""


class AnswersUnsaved(StoreError):
    """Answers were given to a response that is not there: the turn fails, so that nobody takes them for kept."""


class TooManyRounds(StoreError):
    """A dialogue asked for more outcomes in one turn than it may."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the fault is the database's state (locked, full, gone), not something in the turn itself."""
    if isinstance(error, StoreUnavailable):
        return True
    if isinstance(error, OSError):  # the file or its folder cannot be reached
        return True
    if type(error) is sa.exc.DatabaseError:  # SQLite: the file is damaged, or no database at all
        return True
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError) or (
        isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    )
