"""The picker: a page in the browser where a hand helps."""
