//! People: who wrote the line that leaks. Circumstantial, and about the leak, not about the identity.

mod git;

pub use git::GitPeople;
