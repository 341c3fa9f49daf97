"""What can be worked with in a notebook: the inspector, and the page that is one without a notebook."""
