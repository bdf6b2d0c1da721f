"""One folder or file a channel, each behind the same contract."""
