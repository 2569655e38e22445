// Package load is the users of the stories and the demo: it sends requests at a steady rate, whatever the answers, and
// keeps every answer, so that "no request was lost" and "seconds from the first bad answer to the last" are read off and
// not estimated.
//
// It is an open loop: the next request goes out when its time has come and not when the last one was answered. Connections
// are kept, as browsers and gateways do. No request is ever sent twice: the body cannot be rewound, so that net/http
// reports a connection that broke instead of trying again, and a gateway built on it does so too.
package load
