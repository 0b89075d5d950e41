//! Files in files: archives and compressed streams, read as streams and never unpacked to disk.

pub mod compress;
