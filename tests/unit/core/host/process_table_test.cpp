// SPDX-License-Identifier: Apache-2.0
#include "core/host/process_table.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.hpp"

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

IpAddress ip(const char* text) {
    IpAddress address;
    address.version = std::string(text).find(':') == std::string::npos ? 4 : 6;
    REQUIRE(::inet_pton(address.version == 4 ? AF_INET : AF_INET6, text, address.bytes.data()) == 1);
    return address;
}

// A procfs with the sockets and processes of a test.
class FakeProc {
public:
    FakeProc() { write("self/net/tcp", kHeader); }

    void write(const std::string& name, const std::string& text) {
        const auto path = std::filesystem::path(folder_.path(name));
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    void table(const std::string& name, const std::string& rows) { write("self/net/" + name, kHeader + rows); }
    void process(int pid, const std::string& name, std::initializer_list<int> inodes, const std::string& command = "") {
        const auto descriptors = std::filesystem::path(folder_.path(std::to_string(pid))) / "fd";
        std::filesystem::create_directories(descriptors);
        write(std::to_string(pid) + "/comm", name + "\n");
        write(std::to_string(pid) + "/cmdline", command + '\0' + "-x" + '\0');
        int number = 3;
        for (const int inode : inodes)
            std::filesystem::create_symlink("socket:[" + std::to_string(inode) + "]",
                                            descriptors / std::to_string(number++));
    }
    void end(int pid) { std::filesystem::remove_all(folder_.path(std::to_string(pid))); }
    std::string path() const { return folder_.path(""); }

private:
    static constexpr const char* kHeader = "  sl  local_address rem_address   st ...\n";
    test::TemporaryFolder folder_;
};

std::string row(const std::string& local, const std::string& remote, int inode) {
    return "   0: " + local + " " + remote + " 01 00000000:00000000 00:00000000 00000000  1000        0 " +
           std::to_string(inode) + " 1 0000000000000000 20 4 30 10 -1\n";
}

// 10.0.0.1:1000 to 10.0.0.2:443, in the byte order of this host's tables
const std::string kLocal = "0100000A:03E8", kRemote = "0200000A:01BB", kNone = "00000000:0000";
const std::string kNone6 = "00000000000000000000000000000000:0000";

struct Watched {
    explicit Watched(FakeProc& proc, std::chrono::milliseconds lifetime = 10s) : table(lifetime, proc.path()) {}

    std::optional<HostProcess> find(const char* source, int source_port, const char* destination, int destination_port,
                                    std::uint8_t protocol = kTcp) const {
        return table.find(ip(source), static_cast<std::uint16_t>(source_port), ip(destination),
                          static_cast<std::uint16_t>(destination_port), protocol);
    }
    ProcessTable table;
    ProcessTable::Clock::time_point start{};
};

}  // namespace

TEST_CASE("ProcessTable: a flow is found in both directions, by whole addresses and ports") {
    FakeProc proc;
    proc.table("tcp", row(kLocal, kRemote, 77));
    proc.process(4242, "curl", {12, 77});
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443) == HostProcess{4242, "curl"});
    CHECK(watched.find("10.0.0.2", 443, "10.0.0.1", 1000) == HostProcess{4242, "curl"});
    CHECK_FALSE(watched.find("10.0.0.1", 1000, "10.0.0.3", 443));
    CHECK_FALSE(watched.find("10.0.0.11", 1000, "10.0.0.2", 443));
    CHECK_FALSE(watched.find("10.0.0.1", 1001, "10.0.0.2", 443));
    CHECK_FALSE(watched.find("10.0.0.1", 1000, "10.0.0.2", 443, kUdp));
}

TEST_CASE("ProcessTable: IPv6, and IPv4 in sockets of IPv6") {
    FakeProc proc;
    proc.table("tcp6", row("B80D0120000000000000000001000000:03E8", "B80D0120000000000000000002000000:01BB", 1) +
                           row("0000000000000000FFFF00000100000A:03E8", "0000000000000000FFFF00000200000A:01BB", 2));
    proc.process(10, "six", {1});
    proc.process(11, "four", {2});
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    CHECK(watched.find("2001:db8::1", 1000, "2001:db8::2", 443)->name == "six");
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->name == "four");
}

TEST_CASE("ProcessTable: a socket without a peer stands for what comes to its port on this host") {
    FakeProc proc;
    proc.table("udp", row("0100000A:0035", kNone, 1) + row("00000000:0043", kNone, 2));
    proc.table("udp6", row("00000000000000000000000000000000:0044", kNone6, 3));
    proc.process(10, "bound", {1});
    proc.process(11, "any", {2});
    proc.process(12, "any6", {3});
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    CHECK(watched.find("10.9.9.9", 5000, "10.0.0.1", 53, kUdp)->name == "bound");
    CHECK(watched.find("10.9.9.9", 5000, "127.0.0.1", 67, kUdp)->name == "any");
    CHECK(watched.find("127.0.0.1", 68, "10.9.9.9", 5000, kUdp)->name == "any6");
    CHECK_FALSE(watched.find("10.9.9.9", 5000, "10.8.8.8", 67, kUdp));  // passes by: not an address of this host
}

TEST_CASE("ProcessTable: what is gone is remembered for its lifetime") {
    FakeProc proc;
    proc.table("tcp", row(kLocal, kRemote, 77));
    proc.process(4242, "curl", {77});
    Watched watched(proc, 10s);
    REQUIRE(watched.table.poll(watched.start));
    proc.table("tcp", "");
    proc.end(4242);
    REQUIRE(watched.table.poll(watched.start + 10s));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->pid == 4242);
    CHECK(watched.table.counters().entries.get() == 1);
    REQUIRE(watched.table.poll(watched.start + 10001ms));
    CHECK_FALSE(watched.find("10.0.0.1", 1000, "10.0.0.2", 443));
    CHECK(watched.table.counters().entries.get() == 0);
}

TEST_CASE("ProcessTable: ports used again belong to the process that has them now") {
    FakeProc proc;
    proc.table("tcp", row(kLocal, kRemote, 77));
    proc.process(1, "first", {77});
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    proc.table("tcp", row(kLocal, kRemote, 78));
    proc.process(2, "second", {78});
    REQUIRE(watched.table.poll(watched.start + 100ms));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->name == "second");
}

TEST_CASE("ProcessTable: a socket whose process shows later is looked for again") {
    FakeProc proc;
    proc.table("tcp", row(kLocal, kRemote, 77));
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    proc.process(5, "late", {77});
    REQUIRE(watched.table.poll(watched.start + 100ms));
    CHECK_FALSE(watched.find("10.0.0.1", 1000, "10.0.0.2", 443));  // not each time: that is what costs
    REQUIRE(watched.table.poll(watched.start + 1100ms));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->name == "late");
}

TEST_CASE("ProcessTable: a name that the kernel cut is completed from the command line, if it fits") {
    FakeProc proc;
    proc.table("tcp", row(kLocal, kRemote, 1) + row("0100000A:03E9", kRemote, 2));
    proc.process(1, "nfstreamd-worke", {1}, "/usr/sbin/nfstreamd-worker");
    proc.process(2, "renamed-by-itse", {2}, "/usr/bin/python3");
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->name == "nfstreamd-worker");
    CHECK(watched.find("10.0.0.1", 1001, "10.0.0.2", 443)->name == "renamed-by-itse");
}

TEST_CASE("ProcessTable: broken rows are passed over, absent tables are an error") {
    FakeProc proc;
    proc.table("tcp", "garbage\n\n0: zz:1 00:2\n" + row("0100000A", kRemote, 3) + row(kLocal, kRemote, 0) +
                          row(kLocal, kRemote, 77));
    proc.process(7, "x", {77});
    Watched watched(proc);
    REQUIRE(watched.table.poll(watched.start));
    CHECK(watched.find("10.0.0.1", 1000, "10.0.0.2", 443)->pid == 7);
    ProcessTable nowhere(1s, proc.path() + "absent");
    CHECK_FALSE(nowhere.poll({}));
}
