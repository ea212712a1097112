//! Accepts HTTP/1 connections with timers, limits and a graceful stop.
