package server

import (
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
)

// text is all that a version says.
func (v *version) text() string {
	text, err := json.Marshal(v.object.Object)
	if err != nil {
		return err.Error() // told as a change, unless it was so when it was stored
	}
	return string(text)
}

// Intact fails when somebody has changed an object that the server lent: its content, or its Go type. Only a server that seals
// can tell.
func (e Event) Intact() error {
	v := e.version
	if v == nil || v.seal == "" {
		return nil
	}
	if now := v.text(); now != v.seal {
		return fmt.Errorf("%s was lent and came back changed: it was %s and is %s", e.Key, v.seal, now)
	}
	d := v.decoded.Load()
	if d == nil {
		return nil
	}
	fresh := reflect.New(reflect.TypeOf(d.object).Elem()).Interface()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(v.object.Object, fresh); err != nil {
		return err
	}
	if !reflect.DeepEqual(fresh, any(d.object)) {
		return fmt.Errorf("%s was lent and came back changed: it was %s and is %+v", e.Key, v.seal, d.object)
	}
	return nil
}
