// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/host_facts.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "daemon/configuration.hpp"
#include "daemon/ctl/control_client.hpp"
#include "exporters/registry.hpp"
#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::ctl {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kResolveTime = 2s;
constexpr auto kConnectTime = 2s;
constexpr auto kRefusalTime = 300ms;  // in which ICMP says that nobody listens
constexpr auto kClockTime = 200ms;    // between two looks at the clocks

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// Of "NAME:   VALUE ..." the first word of the value.
std::optional<std::uint64_t> field(const std::string& text, std::string_view name, int base = 10) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        const auto begin = line.find_first_not_of(" \t", name.size());
        std::uint64_t value = 0;
        if (begin != line.npos &&
            std::from_chars(line.data() + begin, line.data() + line.size(), value, base).ec == std::errc())
            return value;
    }
    return std::nullopt;
}

// The limit of its control group, of version 2 or 1.
std::optional<std::uint64_t> memory_limit(int pid) {
    std::istringstream lines(read_file(fmt::format("/proc/{}/cgroup", pid)));
    for (std::string line; std::getline(lines, line);) {
        const auto path = line.substr(line.rfind(':') + 1);
        std::string limit;
        if (line.starts_with("0::")) limit = read_file("/sys/fs/cgroup" + path + "/memory.max");
        if (line.find(":memory:") != line.npos)
            limit = read_file("/sys/fs/cgroup/memory" + path + "/memory.limit_in_bytes");
        std::uint64_t value = 0;
        if (std::from_chars(limit.data(), limit.data() + limit.size(), value).ec == std::errc() &&
            value < std::uint64_t{1} << 60)
            return value;
    }
    return std::nullopt;
}

DaemonFacts daemon_facts(const std::string& socket) {
    DaemonFacts facts;
    const auto answer = ask(socket, "status");
    if (!answer) {
        facts.why_not = answer.error();
        return facts;
    }
    const auto status = parse_answer(answer.value());
    if (!status) {
        facts.why_not = status.error();
        return facts;
    }
    facts.running = true;
    facts.status_json = answer.value();
    facts.status = status.value();
    facts.pid = peer_of(socket);
    if (facts.pid <= 0) return facts;
    const std::string process = read_file(fmt::format("/proc/{}/status", facts.pid));
    facts.capabilities = field(process, "CapEff:", 16);
    facts.user = static_cast<std::uint32_t>(field(process, "Uid:").value_or(0));
    facts.group = static_cast<std::uint32_t>(field(process, "Gid:").value_or(0));
    facts.memory = memory_limit(facts.pid);
    facts.open_files = field(read_file(fmt::format("/proc/{}/limits", facts.pid)), "Max open files");
    return facts;
}

// ---- where exporters send to ----

struct Place {
    bool datagram = false;
    std::string host;
    std::uint16_t port = 0;
};

// "udp://host:port", "nats://user:secret@host", "host:9092", "[::1]:4739", "https://host/path"
std::optional<Place> parse_place(std::string_view text, std::uint16_t default_port) {
    Place place;
    place.port = default_port;
    if (const auto scheme = text.find("://"); scheme != text.npos) {
        const auto name = text.substr(0, scheme);
        place.datagram = name == "udp" || name == "dtls";
        static constexpr std::pair<std::string_view, std::uint16_t> kPorts[] = {
            {"http", 80},   {"https", 443}, {"mqtt", 1883}, {"mqtts", 8883},
            {"nats", 4222}, {"tls", 4740},  {"dtls", 4740}};
        for (const auto& [known, port] : kPorts)
            if (known == name && (default_port == 0 || known == "tls" || known == "dtls")) place.port = port;
        if (name == "sctp" || name == "ipc" || name == "inproc" || name == "unix") return std::nullopt;
        text.remove_prefix(scheme + 3);
    }
    text = text.substr(0, text.find('/'));
    if (const auto user = text.rfind('@'); user != text.npos) text.remove_prefix(user + 1);
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) return std::nullopt;
        place.host = text.substr(1, end - 1);
        if (end + 1 < text.size() && text[end + 1] == ':') port = text.substr(end + 2);
    } else {
        const auto colon = text.rfind(':');
        place.host = text.substr(0, colon);
        if (colon != text.npos) port = text.substr(colon + 1);
    }
    if (!port.empty() &&
        std::from_chars(port.data(), port.data() + port.size(), place.port).ptr != port.data() + port.size())
        return std::nullopt;
    if (place.host.empty() || place.port == 0) return std::nullopt;
    return place;
}

socklen_t socket_address(const boost::asio::ip::address& address, std::uint16_t port, sockaddr_storage& out) {
    out = {};
    if (address.is_v6()) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        const auto bytes = address.to_v6().to_bytes();
        std::memcpy(&v6->sin6_addr, bytes.data(), bytes.size());
        v6->sin6_scope_id = static_cast<std::uint32_t>(address.to_v6().scope_id());
        return sizeof *v6;
    }
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    const auto bytes = address.to_v4().to_bytes();
    std::memcpy(&v4->sin_addr, bytes.data(), bytes.size());
    return sizeof *v4;
}

int error_of(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

// 0, or why it cannot be reached. A datagram without content is what makes a host
// say that nobody listens; collectors ignore it.
int try_address(const boost::asio::ip::address& address, const Place& place) {
    sockaddr_storage to;
    const socklen_t length = socket_address(address, place.port, to);
    const int socket =
        ::socket(to.ss_family, (place.datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return errno;
    int error = ::connect(socket, reinterpret_cast<sockaddr*>(&to), length) == 0 ? 0 : errno;
    const auto wait = [&](short events, std::chrono::milliseconds time) {
        pollfd ready{socket, events, 0};
        return ::poll(&ready, 1, static_cast<int>(time.count()));
    };
    if (place.datagram && error == 0) {
        if (::send(socket, nullptr, 0, 0) < 0) error = errno;
        if (error == 0 && wait(POLLIN, kRefusalTime) > 0) error = error_of(socket);
    } else if (error == EINPROGRESS) {
        error = wait(POLLOUT, kConnectTime) > 0 ? error_of(socket) : ETIMEDOUT;
    }
    ::close(socket);
    return error;
}

std::string problem_of(const Place& place) {
    const auto addresses = exporters::resolve_host(place.host, kResolveTime);
    if (!addresses) return addresses.error().message;
    int error = 0;
    for (const auto& address : addresses.value()) {
        error = try_address(address, place);
        if (error == 0) return {};
    }
    if (error == ECONNREFUSED)
        return fmt::format("nobody listens at port {} ({}refused)", place.port, place.datagram ? "ICMP: " : "");
    return std::strerror(error);
}

bool has_setting(const config::ExporterConfig& exporter, std::string_view name) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    const auto is_it = [&](const config::SettingSpec& spec) { return spec.name == name; };
    return type != nullptr && (std::any_of(type->settings.begin(), type->settings.end(), is_it));
}

std::vector<Destination> destinations(const config::Config& config) {
    struct Kind {
        std::string_view setting;
        bool list;
        std::uint16_t port;
    };
    static constexpr Kind kKinds[] = {{"collectors", true, 4739},
                                      {"brokers", true, 9092},
                                      {"servers", true, 4222},
                                      {"broker", false, 1883},
                                      {"url", false, 0}};
    std::vector<Destination> found;
    for (const auto& exporter : config.exporters)
        for (const Kind& kind : kKinds) {
            if (!has_setting(exporter, kind.setting)) continue;
            std::vector<std::string> texts;
            if (kind.list)
                texts = exporter.settings.strings(kind.setting);
            else if (!exporter.settings.string(kind.setting).empty())
                texts = {exporter.settings.string(kind.setting)};
            std::uint16_t port = kind.port;
            if (exporter.type.starts_with("netflow")) port = 2055;
            if (exporter.type == "syslog") port = 514;
            for (const auto& text : texts)
                if (const auto place = parse_place(text, port))
                    found.push_back({exporter.name, fmt::format("{}:{}", place->host, place->port),
                                     exporter.settings.where(kind.setting), problem_of(*place),
                                     place->datagram && (place->host == "::1" || place->host.starts_with("127.") ||
                                                         place->host == "localhost")});
        }
    return found;
}

std::vector<SpoolFacts> spools(const config::Config& config) {
    std::vector<SpoolFacts> found;
    for (const auto& exporter : config.exporters) {
        const auto* type = exporters::find_exporter_type(exporter.type);
        if (type == nullptr || !type->network) continue;
        const auto options = exporters::spool_options(exporter.settings);
        if (options.directory.empty()) continue;
        SpoolFacts spool{
            exporter.name, options.directory, exporter.settings.where("spool.directory"), options.max_octets, {}, {}};
        fs::path path = options.directory;  // it is made when it is needed
        while (!file_facts(path.string()).there && path.has_parent_path() && path != path.parent_path())
            path = path.parent_path();
        spool.folder_path = path.string();
        spool.folder = file_facts(spool.folder_path);
        found.push_back(std::move(spool));
    }
    return found;
}

// ---- the host ----

ClockFacts clock_facts() {
    ClockFacts facts;
    timex state{};
    const int synchronisation = ::adjtimex(&state);
    facts.known = synchronisation >= 0;
    facts.synchronised = !facts.known || (synchronisation != TIME_ERROR && (state.status & STA_UNSYNC) == 0);
    const auto difference = [] {
        return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch() -
                                        std::chrono::steady_clock::now().time_since_epoch());
    };
    const auto before = difference();
    std::this_thread::sleep_for(kClockTime);
    const auto moved = difference() - before;
    facts.jump = moved < 0ns ? -moved : moved;
    return facts;
}

bool may_open_packet_socket() {
    const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);  // protocol 0: no packet comes
    if (socket >= 0) ::close(socket);
    return socket >= 0;
}

bool may(const FileFacts& file, std::uint32_t user, std::uint32_t group, unsigned bits) {
    if (user == 0) return true;
    const unsigned shift = file.user == user ? 6 : file.group == group ? 3 : 0;
    return (file.mode >> shift & bits) == bits;
}

}  // namespace

FileFacts file_facts(const std::string& path) {
    FileFacts facts;
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) return facts;
    facts.there = true;
    facts.directory = S_ISDIR(status.st_mode);
    facts.mode = status.st_mode & 07777;
    facts.user = status.st_uid;
    facts.group = status.st_gid;
    struct statvfs system {};
    if (::statvfs(path.c_str(), &system) == 0) {
        facts.free_octets = std::uint64_t{system.f_bavail} * system.f_frsize;
        facts.all_octets = std::uint64_t{system.f_blocks} * system.f_frsize;
    }
    return facts;
}

bool may_write(const FileFacts& file, std::uint32_t user, std::uint32_t group) {
    return may(file, user, group, file.directory ? 3 : 2);
}

bool may_read(const FileFacts& file, std::uint32_t user, std::uint32_t group) {
    return may(file, user, group, 4);
}

HostFacts gather_facts(const CommandLine& line) {
    HostFacts facts;
    facts.socket = line.socket;
    facts.daemon = daemon_facts(line.socket);
    facts.config_file = line.config.value_or(std::string(daemon::kDefaultConfigFile));
    daemon::CommandLine load;
    load.config_file = facts.config_file;
    load.action = daemon::Action::kPrintConfig;
    facts.loaded = daemon::load_configuration(load);
    if (auto links = list_links())
        facts.links = std::move(links.value());
    else
        facts.problem_of_links = links.error().text();
    facts.socket_file = file_facts(line.socket);
    facts.config_facts = file_facts(facts.config_file);
    facts.may_capture = may_open_packet_socket();
    facts.is_root = ::geteuid() == 0;
    for (const char* folder : {"/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"})
        facts.service_installed =
            facts.service_installed || file_facts(std::string(folder) + "/nfstreamd.service").there;
    if (const passwd* user = ::getpwnam("nfstreamd")) facts.service_user = user->pw_uid;
    if (const group* group = ::getgrnam("nfstreamd")) facts.service_group = group->gr_gid;
    if (facts.loaded.config) {
        facts.destinations = destinations(*facts.loaded.config);
        facts.spools = spools(*facts.loaded.config);
    }
    facts.clock = clock_facts();
    const std::string memory = read_file("/proc/meminfo");
    facts.memory = field(memory, "MemTotal:").value_or(0) * 1024;
    facts.memory_available = field(memory, "MemAvailable:").value_or(0) * 1024;
    facts.receive_buffer_max = field(read_file("/proc/sys/net/core/rmem_max"), "").value_or(0);
    facts.processors = std::thread::hardware_concurrency();
    return facts;
}

}  // namespace nfstreamd::ctl
