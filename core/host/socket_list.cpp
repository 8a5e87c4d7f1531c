// SPDX-License-Identifier: Apache-2.0
#include "core/host/socket_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>

namespace nfstreamd {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2

struct Table {
    std::string_view file;
    std::uint8_t protocol;
};
constexpr std::array kTables{Table{"tcp", 6}, Table{"tcp6", 6}, Table{"udp", 17}, Table{"udp6", 17}};

std::string_view next_word(std::string_view& line) {
    const auto begin = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(begin);
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

template <class Number>
bool parse(std::string_view text, Number& number, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} && end == text.data() + text.size();
}

// "0100007F:0035": words of the address in the host's order, then the port.
bool parse_end(std::string_view text, IpAddress& address, std::uint16_t& port) {
    const auto colon = text.find(':');
    if ((colon != 8 && colon != 32) || !parse(text.substr(colon + 1), port, 16)) return false;
    address = {};
    for (std::size_t i = 0; i < colon / 8; ++i) {
        std::uint32_t word = 0;
        if (!parse(text.substr(i * 8, 8), word, 16)) return false;
        std::memcpy(&address.bytes[i * 4], &word, 4);
    }
    if (colon == 32 && std::memcmp(address.bytes.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
        std::memmove(address.bytes.data(), &address.bytes[12], 4);
        std::memset(&address.bytes[4], 0, 12);
        address.version = 4;
    } else {
        address.version = colon == 32 ? 6 : 4;
    }
    if (address.bytes == IpAddress{}.bytes) address.version = 0;
    return true;
}

// A line of /proc/net/tcp. False: no socket that a process could hold.
bool parse_line(std::string_view line, HostSocket& socket) {
    next_word(line);  // number
    const auto local = next_word(line), remote = next_word(line);
    for (int i = 0; i < 6; ++i) next_word(line);  // state, queues, timer, retransmissions, user, timeout
    return parse_end(local, socket.ends.local, socket.ends.local_port) &&
           parse_end(remote, socket.ends.remote, socket.ends.remote_port) && parse(next_word(line), socket.inode, 10) &&
           socket.inode != 0;
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(const std::string& path) {
    return {::opendir(path.c_str()), ::closedir};
}

// The kernel keeps 15 characters; the command line may have them all.
std::string process_name(const std::string& folder) {
    constexpr std::size_t kKept = 15;
    std::string name, command;
    std::getline(std::ifstream(folder + "/comm"), name);
    if (name.size() < kKept) return name;
    std::getline(std::ifstream(folder + "/cmdline"), command, '\0');
    const std::string base = command.substr(command.rfind('/') + 1);
    return base.starts_with(name) ? base : name;
}

bool parse_socket_link(std::string_view target, std::uint64_t& inode) {
    constexpr std::string_view kBegin = "socket:[";
    return target.starts_with(kBegin) && target.ends_with(']') &&
           parse(target.substr(kBegin.size(), target.size() - kBegin.size() - 1), inode, 10);
}

void look_through(const std::string& folder, std::int32_t pid, const std::unordered_set<std::uint64_t>& inodes,
                  SocketOwners& owners) {
    const Folder descriptors = open_folder(folder + "/fd");
    if (!descriptors) {
        if (errno == EACCES || errno == EPERM) ++owners.hidden;
        return;
    }
    std::string name;
    while (const dirent* entry = ::readdir(descriptors.get())) {
        std::array<char, 64> target;
        const auto length = ::readlinkat(::dirfd(descriptors.get()), entry->d_name, target.data(), target.size());
        std::uint64_t inode = 0;
        if (length <= 0 || !parse_socket_link({target.data(), static_cast<std::size_t>(length)}, inode)) continue;
        if (!inodes.contains(inode)) continue;
        if (name.empty()) name = process_name(folder);
        // of several holders the one that has it longest: the lowest number, as a parent's is
        const auto [held, fresh] = owners.by_inode.try_emplace(inode, HostProcess{pid, name});
        if (!fresh && pid < held->second.pid) held->second = {pid, name};
    }
}

}  // namespace

Result<std::vector<HostSocket>> list_sockets(const std::string& proc) {
    std::vector<HostSocket> sockets;
    bool any = false;
    for (const Table& table : kTables) {
        // through the process's own folder: the one at the top is hidden from services
        std::ifstream file(proc + "/self/net/" + std::string(table.file));
        if (!file) continue;
        any = true;
        std::string line;
        std::getline(file, line);
        while (std::getline(file, line)) {
            HostSocket socket;
            if (!parse_line(line, socket)) continue;
            socket.ends.protocol = table.protocol;
            sockets.push_back(socket);
        }
    }
    if (!any) return Error{ErrorCode::kUnavailable, "the kernel's socket tables cannot be read", proc + "/self/net"};
    return sockets;
}

SocketOwners find_owners(const std::string& proc, const std::unordered_set<std::uint64_t>& inodes) {
    SocketOwners owners;
    const Folder processes = open_folder(proc);
    if (!processes) return owners;
    while (const dirent* entry = ::readdir(processes.get())) {
        std::int32_t pid = 0;
        if (!parse(std::string_view(entry->d_name), pid, 10)) continue;
        look_through(proc + "/" + entry->d_name, pid, inodes, owners);
    }
    return owners;
}

}  // namespace nfstreamd
