//! Servers whose log is read, whose directory is another, or which are started again on what is left.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{DIRECTORY, Server};

impl Server {
    /// With environment variables, and its log in the file that [`Server::log`] reads.
    pub fn start_logged(variables: &[(&str, &str)]) -> Self {
        let folder = folder_with(DIRECTORY);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Ctrl-C") {
            assert!(stdout.read_line(&mut banner).unwrap() > 0, "no banner: {banner}");
        }
        Self { child, stdout: Some(stdout), folder, banner }
    }

    /// What a server of [`Server::start_logged`] has logged until now.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap()
    }

    /// The file behind [`Server::log`].
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// With another directory.
    pub fn start_with_directory(directory: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_in(folder_with(directory), "127.0.0.1:0", variables)
    }

    /// On what [`Server::kill`] left, at `address`.
    pub fn start_again(folder: tempfile::TempDir, address: &str) -> Self {
        Self::start_in(folder, address, &[])
    }

    /// The address and port that it listens at.
    pub fn address(&self) -> String {
        if self.banner.contains("Listening at") {
            return self.url("Listening at").to_owned();
        }
        self.url("SCEP URL").split('/').nth(2).unwrap().to_owned()
    }
}

fn folder_with(directory: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("directory.toml"), directory).unwrap();
    folder
}
