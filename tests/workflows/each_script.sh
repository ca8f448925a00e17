# BASH_ENV names this file, so every script of every step reads it first: a home and a temporary folder of the job's
# own, and a note of the environment that the step was given.
env -0 >>"$RIG_NOTES/$GITHUB_JOB"
export HOME=$RUNNER_TEMP/home TMPDIR=$RUNNER_TEMP/temporary
mkdir -p "$HOME" "$TMPDIR"
unset BASH_ENV
