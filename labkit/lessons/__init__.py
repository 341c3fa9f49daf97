"""What surrounds the notebooks: learner copies, their outputs, and what this machine has."""
