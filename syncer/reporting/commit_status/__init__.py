"""What a forge shows beside a commit: that it is being published, is live, or why it is not (``spec.commitStatus``)."""
