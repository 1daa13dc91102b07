//! Nothing but tests: they compare the wall's noise with OpenDP's. A crate of its own, so that only they wait for OpenDP.
