// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/bug_report.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <regex>
#include <span>
#include <sstream>

#include "config/masking.hpp"
#include "daemon/ctl/control_client.hpp"
#include "daemon/version.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::ctl {
namespace {

constexpr std::size_t kLongestOutput = 512 * 1024;  // of one program
constexpr std::size_t kShortestSecret = 3;          // what is shorter would mask half of the text
constexpr std::string_view kMask = "********";

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// What a program of the host says, if it is there; a fixed command.
std::string output_of(const char* command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "re"), ::pclose);
    std::string out;
    if (!pipe) return out;
    std::array<char, 4096> part;
    for (std::size_t length; (length = std::fread(part.data(), 1, part.size(), pipe.get())) > 0;)
        if (out.size() < kLongestOutput) out.append(part.data(), length);
    return out;
}

std::string section(std::string_view name, std::string text) {
    if (text.empty()) text = "(nothing)";
    if (text.back() != '\n') text += '\n';
    return fmt::format("\n==== {} ====\n{}", name, text);
}

std::string host_text(const HostFacts& facts) {
    utsname system{};
    ::uname(&system);
    std::string distribution = "not known";
    std::istringstream release(read_file("/etc/os-release"));
    for (std::string line; std::getline(release, line);)
        if (line.starts_with("PRETTY_NAME=")) distribution = line.substr(std::strlen("PRETTY_NAME="));
    std::string out =
        fmt::format("kernel        {} {} {} {}\n", system.sysname, system.release, system.version, system.machine);
    out += fmt::format("distribution  {}\n", distribution);
    out += fmt::format("processors    {}\n", facts.processors);
    out += fmt::format("memory        {} octets, {} available\n", facts.memory, facts.memory_available);
    out += fmt::format("clock         {}\n", !facts.clock.known         ? "cannot be asked"
                                             : facts.clock.synchronised ? "synchronised"
                                                                        : "not synchronised");
    for (const char* name : {"rmem_max", "rmem_default", "wmem_max", "netdev_max_backlog"})
        out += fmt::format("{:<13} {}", name, read_file(std::string("/proc/sys/net/core/") + name));
    return out;
}

std::string links_text(const HostFacts& facts) {
    std::string out = facts.problem_of_links;
    for (const Link& link : facts.links)
        out +=
            fmt::format("{:>3} {:<16} {:<5} mtu {:<6} kind {:<8} on {} in {}  driver {}  offloads {}\n", link.index,
                        link.name, link.up ? "up" : "down", link.mtu, link.kind.empty() ? "-" : link.kind, link.lower,
                        link.master, link.driver.empty() ? "-" : link.driver, fmt::join(link.offloads, " "));
    return out;
}

std::string process_text(const DaemonFacts& daemon) {
    if (daemon.pid <= 0) return "not known: " + daemon.why_not.text();
    std::string out = fmt::format("pid {} user {} group {} CapEff {:#x}\n", daemon.pid, daemon.user, daemon.group,
                                  daemon.capabilities.value_or(0));
    if (daemon.memory) out += fmt::format("memory limit of its control group: {} octets\n", *daemon.memory);
    return out + read_file(fmt::format("/proc/{}/limits", daemon.pid));
}

std::string answer_text(const HostFacts& facts, std::string_view command) {
    const auto answer = ask(facts.socket, command);
    return answer ? answer.value() : answer.error().text();
}

}  // namespace

std::vector<std::string> secrets_of(const config::Config& config) {
    std::vector<std::string> secrets;
    for (const auto& exporter : config.exporters) {
        const auto* type = exporters::find_exporter_type(exporter.type);
        if (type == nullptr) continue;
        std::vector<std::span<const config::SettingSpec>> tables{type->settings, exporters::common_settings()};
        if (type->network) tables.push_back(exporters::network_settings());
        for (const auto& table : tables)
            for (const auto& spec : table)
                if (spec.type == config::SettingType::kSecret)
                    if (const auto& secret = exporter.settings.string(spec.name); secret.size() >= kShortestSecret)
                        secrets.push_back(secret);
    }
    // one may begin with another
    std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    return secrets;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
    for (const std::string& secret : secrets)
        for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + kMask.size()))
            text.replace(at, secret.size(), kMask);
    static const std::regex kUserOfUrl("://[^/@\\s\"]{1,256}@");
    return std::regex_replace(config::without_url_secrets(text), kUserOfUrl, fmt::format("://{}@", kMask));
}

std::string bug_report(const HostFacts& facts, const std::vector<Finding>& findings) {
    std::string out = fmt::format("nfstreamd report of {:%Y-%m-%dT%H:%M:%SZ}\n", fmt::gmtime(std::time(nullptr)));
    out += section("versions", daemon::version_text("nfstreamctl"));
    out += section("doctor", findings_text(findings, facts));
    std::string configuration = facts.loaded.effective_yaml;
    if (!facts.loaded.config) configuration = fmt::format("{} cannot be loaded, see above\n", facts.config_file);
    out += section("configuration, secrets masked", configuration);
    out += section("status", facts.daemon.running ? facts.daemon.status_json : facts.daemon.why_not.text());
    if (facts.daemon.running) out += section("audit", answer_text(facts, "audit"));
    out += section("process", process_text(facts.daemon));
    out += section("host", host_text(facts));
    out += section("interfaces", links_text(facts));
    out += section("limits of nfstreamctl", read_file("/proc/self/limits"));
    out +=
        section("service", output_of("timeout 10 systemctl show nfstreamd --no-pager "
                                     "-p ActiveState,SubState,NRestarts,ExecMainStatus,Result,FragmentPath,DropInPaths "
                                     "2>/dev/null"));
    out += section("log, the last 300 lines",
                   output_of("timeout 20 journalctl -u nfstreamd -n 300 --no-pager -o short-iso 2>/dev/null"));
    return without_secrets(std::move(out),
                           facts.loaded.config ? secrets_of(*facts.loaded.config) : std::vector<std::string>());
}

Status write_new_file(const std::string& path, const std::string& text) {
    const auto failed = [&](const char* what) {
        return Error{ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)), path};
    };
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return failed("cannot make the report");
    std::string_view left = text;
    while (!left.empty()) {
        const auto written = ::write(file, left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            const auto error = failed("cannot write the report");
            ::close(file);
            return error;
        }
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::close(file) != 0) return failed("cannot write the report");
    return ok();
}

}  // namespace nfstreamd::ctl
