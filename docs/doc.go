// Package docs holds what users and developers read. Its tests compare the pages with the schema, with the code and with
// each other: every field of the API is described and no other, every reason of a condition is explained, every metric of
// the controller is listed, every link leads somewhere, and every manifest in a page is one that the API decodes.
package docs
