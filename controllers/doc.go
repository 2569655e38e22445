// Package controllers is the loop of Belay. Read this first.
//
//	observe    everything is read into one value            controllers/observe
//	decide     one pure function turns it into a plan       controllers/plan
//	record     the plan changes what we remember: written, and nothing else happens in this round
//	or act     the plan changes the world: effects are carried out   controllers/apply
//	report     conditions, events and figures are computed from what was observed and planned
//
// What takes long runs beside the loop and wakes it: measurements (controllers/measure) and calls to Git
// (controllers/gitwork).
//
// The life of an attempt (api/v1alpha1, Stage):
//
//	Adopting ─► Resting ◄───────────────────────────────────────────────────┐
//	               │ a new template is held                                  │
//	               ▼                                                         │
//	            Pinning ─► Stepping ─► Unpinning ─► HandingOver ─► Completing ─► Clearing
//	               │           │           │
//	               └───────────┴───────────┴─► Aborting ─► Draining ─► Retiring ─► Held ─► Resting
//	                                           traffic      drain        pods      until Git or a person
//	                                           first                               takes the template back
//
// Every stage is entered by a recorded plan. Whatever crashes in between, the next controller reads the record, looks at
// the world, and goes on.
package controllers
