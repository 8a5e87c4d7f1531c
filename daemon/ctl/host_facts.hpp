// SPDX-License-Identifier: Apache-2.0
// What `doctor` looks at, gathered once and then judged (findings.hpp): the
// configuration, the running daemon if there is one, and the host.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "daemon/ctl/answer.hpp"
#include "daemon/ctl/command_line.hpp"
#include "daemon/ctl/link_list.hpp"

namespace nfstreamd::ctl {

struct DaemonFacts {
    bool running = false;
    Error why_not;                              // when it does not answer
    int pid = 0;                                // 0: not known
    std::optional<std::uint64_t> capabilities;  // effective ones
    std::optional<std::uint64_t> memory;        // octets that its control group may have
    std::optional<std::uint64_t> open_files;    // RLIMIT_NOFILE
    std::uint32_t user = 0, group = 0;
    std::string status_json;
    Tree status;
};

struct FileFacts {
    bool there = false, directory = false;
    std::uint32_t mode = 0, user = 0, group = 0;
    std::uint64_t free_octets = 0, all_octets = 0;  // of its file system
};

// One place where an exporter sends to, and whether it takes anything.
struct Destination {
    std::string exporter, text, where;
    std::string problem;           // empty: reached, or nothing said no
    bool local_datagrams = false;  // to this host
};

struct SpoolFacts {
    std::string exporter, path, where;
    std::uint64_t max_octets = 0;
    FileFacts folder;  // of the path, or of what is there of it
    std::string folder_path;
};

struct ClockFacts {
    bool synchronised = true, known = false;
    std::chrono::nanoseconds jump{0};  // of real time against the monotonic clock, while we looked
};

struct HostFacts {
    std::string config_file;
    config::Loaded loaded;
    std::string problem_of_links;
    std::vector<Link> links;
    DaemonFacts daemon;
    std::string socket;
    FileFacts socket_file, config_facts;
    bool may_capture = false;  // this process
    bool is_root = false;
    bool service_installed = false;                            // its unit file is there
    std::optional<std::uint32_t> service_user, service_group;  // of nfstreamd
    std::vector<Destination> destinations;
    std::vector<SpoolFacts> spools;
    ClockFacts clock;
    std::uint64_t memory = 0, memory_available = 0;  // octets
    std::uint64_t processors = 0;
    std::uint64_t receive_buffer_max = 0;  // net.core.rmem_max; 0: not known
};

HostFacts gather_facts(const CommandLine& line);

FileFacts file_facts(const std::string& path);
bool may_write(const FileFacts& file, std::uint32_t user, std::uint32_t group);
bool may_read(const FileFacts& file, std::uint32_t user, std::uint32_t group);

}  // namespace nfstreamd::ctl
