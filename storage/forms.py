"""Every version of every form, as it was when somebody began to fill it in."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from content.forms import Form, stored_form
from storage.errors import FormChanged
from storage.tables import Instant, forms

_STORED = sa.select(forms.c.sha256).where(
    forms.c.form_id == sa.bindparam("which"), forms.c.version == sa.bindparam("of_version")
)
_DEFINITION = sa.select(forms.c.definition).where(
    forms.c.form_id == sa.bindparam("which"), forms.c.version == sa.bindparam("of_version")
)
_STORE = sa.insert(forms).values(
    form_id=sa.bindparam("which"),
    version=sa.bindparam("of_version"),
    sha256=sa.bindparam("digest"),
    definition=sa.bindparam("as_text"),
    stored_at=sa.bindparam("now", type_=Instant),
)


def publish(connection: sa.Connection, known: Iterable[Form], now: datetime) -> None:
    """Store the forms that are not stored yet; raises FormChanged where a version stands with other content."""
    for form in known:
        which = {"which": form.id, "of_version": form.version}
        stored = connection.execute(_STORED, which).scalar()
        if stored is None:
            more = {"digest": form.sha256, "as_text": form.file.dump(), "now": now}
            connection.execute(_STORE, {**which, **more})
        elif stored != form.sha256:
            raise FormChanged(
                f"the form {form.id} was changed after its version {form.version} had been published:"
                " give it a new version"
            )


class FormShelf:
    """Gives the form of a stored version, made ready once and kept."""

    def __init__(self, known: Iterable[Form] = ()) -> None:
        self._ready = {(form.id, form.version): form for form in known}

    def form(self, connection: sa.Connection, form_id: str, version: str) -> Form:
        """The form; raises LookupError for a version that was never stored."""
        name = (form_id, version)
        if name not in self._ready:
            which = {"which": form_id, "of_version": version}
            definition = connection.execute(_DEFINITION, which).scalar()
            if definition is None:
                raise LookupError(f"no form {form_id} {version}")
            self._ready[name] = stored_form(definition)
        return self._ready[name]
