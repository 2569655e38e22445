package repository

// UseGit has the engine run another program as git.
func (e *Engine) UseGit(program string) { e.git = program }
