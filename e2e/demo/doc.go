// Package demo plays the main job on real parts and tells what happens, as a person would want to watch it: a good
// release, a bad one that is taken out of traffic and out of Git, its fix, and an old version again. It checks what it
// shows, and fails when anything of it is not so.
package demo
