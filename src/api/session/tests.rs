//! The endpoints, called as the edge calls them.
