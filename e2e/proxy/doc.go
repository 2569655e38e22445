// Package proxy stands between one client and the API server and sees every write of it, so that a test can say what the
// network does with the n-th of them: pass it on, lose the request, lose the answer, keep it back and deliver it later.
//
// Vocabulary: a write is a request that may change what is stored. Reads, watches, dry runs and questions that are
// asked by POST (who am I, may I) are none. Neither are Events, which are told beside the work, in no order and more than
// once, and nobody reads them back; nor are leases, which are renewed all the time: whoever loses one ends.
//
// Laws:
//   - The client is the one that it is: its token goes through, the proxy has no rights of its own.
//   - Requests are passed on as they came, and answers too; but for the window, if one is set.
//   - A write that was given to the test is passed on when the test says so, also if the client is gone by then: that is
//     what a network does with a packet.
package proxy
