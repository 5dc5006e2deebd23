"""The command line: a thin face over tasks and models; `dispatch` loads a command when it is run."""
