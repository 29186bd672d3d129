/** Node's line editor reads TERM from the environment of its own process: tests of it must not depend on the caller's. */
process.env.TERM = "xterm-256color";
