// SPDX-License-Identifier: Apache-2.0
// Octets as a file that has a path: in memory, nothing of it on a disk.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "tests/fuzz/promises.hpp"

namespace nfstreamd::fuzz {

class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::uint8_t> octets) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
        const auto written = ::pwrite(descriptor_, octets.data(), octets.size(), 0);
        require(written == static_cast<ssize_t>(octets.size()), "there is memory for the input");
    }
    ~MemoryFile() { ::close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    const int descriptor_;
};

// What a writer has put into a pipe before it left; no more than the pipe takes.
class FilledPipe {
public:
    static constexpr std::size_t kMost = 65536;

    explicit FilledPipe(std::span<const std::uint8_t> octets) {
        int ends[2];
        require(::pipe2(ends, O_CLOEXEC) == 0, "there is a pipe");
        const std::size_t size = std::min(octets.size(), kMost);
        require(::write(ends[1], octets.data(), size) == static_cast<ssize_t>(size), "a pipe takes the input");
        ::close(ends[1]);
        descriptor_ = ends[0];
    }
    ~FilledPipe() { ::close(descriptor_); }
    FilledPipe(const FilledPipe&) = delete;
    FilledPipe& operator=(const FilledPipe&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

// A folder in memory, for what wants names; one for each process, gone with it.
class MemoryFolder {
public:
    MemoryFolder() {
        std::string name = "/dev/shm/nfstreamd-fuzz-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "there is /dev/shm");
        path_ = name;
        remove_when_ended();
    }
    ~MemoryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    MemoryFolder(const MemoryFolder&) = delete;
    MemoryFolder& operator=(const MemoryFolder&) = delete;

    const std::string& path() const { return path_; }

    void write(const std::string& name, std::span<const std::uint8_t> octets) const {
        const std::string file = path_ + "/" + name;
        const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        require(descriptor >= 0, "a file can be made");
        require(::write(descriptor, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()),
                "a file can be written");
        ::close(descriptor);
    }

private:
    // What ends by a crash, as fuzzers do, runs no destructor: a shell waits for the end of the pipe.
    void remove_when_ended() {
        int ends[2];
        require(::pipe2(ends, O_CLOEXEC) == 0, "there is a pipe");
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, ends[0], 0);
        for (const int output : {1, 2}) ::posix_spawn_file_actions_addopen(&files, output, "/dev/null", O_WRONLY, 0);
        posix_spawnattr_t attributes;
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // what ends the fuzzer does not end it
        std::string shell = "sh", option = "-c", command = "read -r _; rm -rf \"$0\"", folder = path_;
        char* const words[] = {shell.data(), option.data(), command.data(), folder.data(), nullptr};
        pid_t ignored = 0;
        require(::posix_spawn(&ignored, "/bin/sh", &files, &attributes, words, environ) == 0, "there is a shell");
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&files);
        ::close(ends[0]);  // the other end stays to the end of the process
    }

    std::string path_;
};

}  // namespace nfstreamd::fuzz
