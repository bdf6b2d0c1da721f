"""Telegram: updates in by polling or webhook, messages out through the Bot API."""

import os

# python-telegram-bot gives spans of time as timedelta from its next version on; this asks for them now, else it warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")
