// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

namespace nfstreamd::daemon {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kPause{200};
constexpr mode_t kMode = 0660;

Error failed(const std::string& path, std::string_view what, const std::string& why) {
    return {ErrorCode::kIo, std::string(what) + ": " + why, path};
}

// A socket file that a process left behind is removed; one in use is not.
Status remove_stale(asio::io_context& context, const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return ok();
    if (!S_ISSOCK(status.st_mode)) return failed(path, "control socket", "there is a file that is no socket");
    Protocol::socket probe(context);
    boost::system::error_code error;
    // non-blocking: a process that hangs would let us wait in its full backlog
    probe.open(Protocol(), error);
    if (!error) probe.non_blocking(true, error);
    if (!error) probe.connect(Protocol::endpoint(path), error);
    if (!error || error == asio::error::try_again || error == asio::error::no_buffer_space)
        return failed(path, "control socket", "in use by another process");
    if (error != asio::error::connection_refused)
        return failed(path, "cannot tell whether the socket there is in use", error.message());
    if (::unlink(path.c_str()) != 0) return failed(path, "cannot remove the stale socket", std::strerror(errno));
    return ok();
}

}  // namespace

ControlServer::ControlServer(asio::io_context& context, ControlSession::Handler handler)
    : context_(context),
      handler_(std::make_shared<const ControlSession::Handler>(std::move(handler))),
      acceptor_(context),
      pause_(context) {}

ControlServer::~ControlServer() {
    close();
}

Status ControlServer::open(const std::string& path) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return failed(path, "control socket", "the path is too long");
    std::error_code folder_error;
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, folder_error);
    if (folder_error) return failed(path, "cannot make the folder", folder_error.message());
    if (auto removed = remove_stale(context_, path); !removed) return removed;

    boost::system::error_code error;
    acceptor_.open(Protocol(), error);
    // before bind: the file never has more rights than these (umask may take some)
    if (!error && ::fchmod(acceptor_.native_handle(), kMode) != 0)
        error.assign(errno, boost::system::system_category());
    if (!error) acceptor_.bind(Protocol::endpoint(path), error);
    if (!error) {
        path_ = path;
        if (::chmod(path.c_str(), kMode) != 0) error.assign(errno, boost::system::system_category());
    }
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        close();
        return failed(path, "control socket", error.message());
    }
    accept();
    return ok();
}

void ControlServer::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
}

void ControlServer::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket socket) {
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
        // one client too many is turned away; so is one that left already
        if (!error && *clients_ < kMaxClients)
            std::make_shared<ControlSession>(std::move(socket), handler_, clients_)->start();
        if (!error) return accept();
        // out of descriptors, most likely: not at once again
        pause_.expires_after(kPause);
        pause_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled && acceptor_.is_open()) accept();
        });
    });
}

}  // namespace nfstreamd::daemon
