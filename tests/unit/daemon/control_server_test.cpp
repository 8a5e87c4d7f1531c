// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_server.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "daemon/ctl/control_client.hpp"

namespace nfstreamd::daemon {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "nfstreamd-control-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryFolder() { fs::remove_all(path_); }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

// A server on a thread of its own.
class RunningServer {
public:
    explicit RunningServer(const std::string& path)
        : server_(context_, [this](std::string_view command, ControlSession::Reply reply) {
              if (command == "slow")
                  boost::asio::post(context_, [reply = std::move(reply)] { reply(R"({"slow":true})"); });
              else
                  reply(command == "status" ? std::string(R"({"up":true})") : std::string());
          }) {
        const auto opened = server_.open(path);
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
        thread_ = std::thread([this] { context_.run(); });
    }
    ~RunningServer() {
        boost::asio::post(context_, [this] { server_.close(); });
        work_.reset();
        thread_.join();
    }

private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
        boost::asio::make_work_guard(context_);
    ControlServer server_;
    std::thread thread_;
};

std::string asked(const std::string& path, std::string_view command) {
    const auto answer = ctl::ask(path, command);
    REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().text()));
    return answer.value();
}

int connected(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
}

TEST_CASE("ControlServer: answers a command and closes") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    CHECK(asked(path, "status") == "{\"up\":true}\n");
    CHECK(asked(path, "dance \"1\"") == "{\"error\":\"unknown command 'dance \\\"1\\\"'\"}\n");
    CHECK(asked(path, "slow") == "{\"slow\":true}\n");
    CHECK(asked(path, "") == "{\"error\":\"unknown command ''\"}\n");
}

TEST_CASE("ControlServer: an answer may come later") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    CHECK(asked(path, "slow") == "{\"slow\":true}\n");
    CHECK(ctl::peer_of(path) == ::getpid());
    CHECK(ctl::peer_of(path + "x") == 0);
}

TEST_CASE("ControlServer: hostile octets are answered by an error that holds no control characters") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    for (const auto& bytes : {std::string("\x1b[2J\x07"), std::string("\0\0\0", 3), std::string("\xff\xfe\x9b"),
                              std::string("\xc2\x9b"
                                          "31m")}) {
        const auto answer = asked(path, bytes);
        CHECK(answer.find("unknown command") != std::string::npos);
        for (const char c : answer.substr(0, answer.size() - 1)) CHECK(static_cast<unsigned char>(c) >= 0x20);
        CHECK(answer.find("\xc2\x9b") == std::string::npos);
    }
}

TEST_CASE("ControlServer: makes its folder, gives owner and group access, removes its socket") {
    const TemporaryFolder folder;
    const auto path = folder / "a/b/control.sock";
    {
        const RunningServer server(path);
        struct stat status {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0660);
    }
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE("ControlServer: a silent client does not hold up others") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    const int silent = connected(path);
    std::vector<std::future<std::string>> answers;
    for (int i = 0; i < 8; ++i)
        answers.push_back(std::async(std::launch::async, [&] {
            auto answer = ctl::ask(path, "status");
            return answer ? answer.value() : answer.error().text();
        }));
    for (auto& answer : answers) CHECK(answer.get() == "{\"up\":true}\n");
    ::close(silent);
}

TEST_CASE("ControlServer: a request without end is refused") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    CHECK(asked(path, std::string(2 * ControlSession::kMaxRequest, 'x')).find("too long") != std::string::npos);
}

TEST_CASE("ControlServer: clients beyond the limit are turned away, and it goes on after them") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    const RunningServer server(path);
    std::vector<int> silent;
    for (std::size_t i = 0; i < ControlServer::kMaxClients; ++i) silent.push_back(connected(path));
    CHECK_FALSE(ctl::ask(path, "status").has_value());
    for (const int client : silent) ::close(client);
    // the server hears of the ends before it accepts the next one, or right after
    bool answered = false;
    for (int i = 0; i < 100 && !answered; ++i) answered = ctl::ask(path, "status").has_value();
    CHECK(answered);
}

TEST_CASE("ControlServer: replaces a socket that a dead process left") {
    const TemporaryFolder folder;
    const auto path = folder / "control.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(stale);
    REQUIRE(fs::exists(path));
    const RunningServer server(path);
    CHECK(asked(path, "status") == "{\"up\":true}\n");
}

TEST_CASE("ControlServer: leaves alone what is not its own") {
    const TemporaryFolder folder;
    boost::asio::io_context context;
    ControlServer second(context, [](std::string_view, const ControlSession::Reply& reply) { reply({}); });

    const auto in_use = folder / "control.sock";
    const RunningServer first(in_use);
    const auto busy = second.open(in_use);
    REQUIRE_FALSE(busy.has_value());
    CHECK(busy.error().message.find("in use") != std::string::npos);
    second.close();
    CHECK(asked(in_use, "status") == "{\"up\":true}\n");

    const auto file = folder / "file";
    std::ofstream(file) << "precious";
    CHECK_FALSE(second.open(file).has_value());
    CHECK(fs::file_size(file) == 8);

    CHECK_FALSE(second.open(folder / std::string(200, 'x')).has_value());
    CHECK_FALSE(second.open(file + "/below/a/file").has_value());
}

TEST_CASE("ControlServer: leaves alone a socket whose owner hangs, and one of another kind") {
    const TemporaryFolder folder;
    boost::asio::io_context context;
    ControlServer server(context, [](std::string_view, const ControlSession::Reply& reply) { reply({}); });
    const auto bound = [&](int type, const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        const int descriptor = ::socket(AF_UNIX, type, 0);
        REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        return std::pair(descriptor, address);
    };
    const auto datagrams = folder / "notify";
    const int other_kind = bound(SOCK_DGRAM, datagrams).first;
    CHECK_FALSE(server.open(datagrams).has_value());
    CHECK(fs::exists(datagrams));

    const auto hanging = folder / "control.sock";
    const auto [listener, address] = bound(SOCK_STREAM, hanging);
    REQUIRE(::listen(listener, 0) == 0);
    const int waiting = ::socket(AF_UNIX, SOCK_STREAM, 0);  // fills the backlog
    REQUIRE(::connect(waiting, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const auto opened = server.open(hanging);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().message.find("in use") != std::string::npos);
    CHECK(fs::exists(hanging));
    for (const int descriptor : {other_kind, listener, waiting}) ::close(descriptor);
}

TEST_CASE("nfstreamctl: a socket without a daemon is unavailable, with advice") {
    const TemporaryFolder folder;
    const auto answer = ctl::ask(folder / "none.sock", "status");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == ErrorCode::kUnavailable);
    CHECK(answer.error().message.find("is nfstreamd running") != std::string::npos);
}

}  // namespace
}  // namespace nfstreamd::daemon
