// Package apply carries effects out. Each is idempotent; each that rests on what was observed carries the resourceVersion
// that it rests on, and each intent the fence of the plan, so that the API server refuses what is no longer true.
package apply
