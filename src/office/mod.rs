//! Office.
