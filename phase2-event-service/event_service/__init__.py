"""Events: what takes place where and when, and who has how many of its tickets set aside."""
