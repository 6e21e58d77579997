//! Which server of an upstream takes the next request. Knows requests in flight and refused connections as numbers;
//! opens no socket, reads no clock, draws no entropy.
