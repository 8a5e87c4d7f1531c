// SPDX-License-Identifier: Apache-2.0
// The control socket: what a client sends, in pieces parted by 0xff, and where it
// leaves. Each command is answered by one line of JSON; questions about flows are
// read as the daemon reads them.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "core/record/template.hpp"
#include "daemon/control_server.hpp"
#include "daemon/inquiries.hpp"
#include "daemon/json_writer.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace {

using namespace nfstreamd;
using daemon::ControlServer;
using daemon::ControlSession;
using fuzz::require;

constexpr std::uint8_t kParting = 0xff;

// As the application does, with a pipeline where nothing runs.
void answer(daemon::Inquiries& inquiries, std::string_view command, ControlSession::Reply reply) {
    static const FieldGroups kGroups{.statistics = true, .splt = true};
    const auto space = std::min(command.find(' '), command.size());
    const std::string_view verb = command.substr(0, space);
    const std::string_view words = command.substr(std::min(space + 1, command.size()));
    if (verb == "flows") {
        const auto request = daemon::parse_flow_request(words, kGroups);
        if (request) {
            require(request.value().limit >= 1 && request.value().limit <= daemon::FlowRequest::kMostFlows,
                    "a limit is in its range");
            daemon::JsonWriter json;
            json.begin_object().member("limit", request.value().limit).end_object();
            reply(json.text());
        } else {
            reply(daemon::error_json(request.error().message));
        }
    } else if (verb == "resend-templates") {
        inquiries.resend_templates(std::string(words), std::move(reply));
    } else {
        reply({});  // unknown: the server says so, with the client's own words
    }
}

class Server {
public:
    Server() {
        require(server_.open(path()).has_value(), "the socket can be opened");
        std::strncpy(address_.sun_path, path().c_str(), sizeof address_.sun_path - 1);
        address_.sun_family = AF_UNIX;
    }
    std::string path() const { return folder_.path() + "/control"; }
    int connect() const {
        const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        require(::connect(client, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0,
                "a client is let in");
        ::fcntl(client, F_SETFL, O_NONBLOCK);
        return client;
    }
    void turn() {
        while (context_.poll() > 0) {
        }
    }

private:
    fuzz::MemoryFolder folder_;
    boost::asio::io_context context_;
    Logger logger_{LogLevel::kError, LogFormat::kText, -1};
    daemon::Pipeline pipeline_{context_, logger_, [] {}};
    daemon::Inquiries inquiries_{context_, pipeline_};
    ControlServer server_{context_, [this](std::string_view command, ControlSession::Reply reply) {
                              answer(inquiries_, command, std::move(reply));
                          }};
    sockaddr_un address_{};
};

// Null: the server has not closed its side.
std::optional<std::string> read_answer(int client) {
    std::string text;
    char part[16384];
    for (;;) {
        const ssize_t size = ::read(client, part, sizeof part);
        if (size == 0) return text;
        if (size < 0) return std::nullopt;
        text.append(part, static_cast<std::size_t>(size));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    static Server server;
    const int client = server.connect();
    std::string sent;
    for (const std::uint8_t* at = input; at != input + size;) {
        const std::uint8_t* end = std::find(at, input + size, kParting);
        const auto length = static_cast<std::size_t>(end - at);
        if (length != 0 && ::send(client, at, length, MSG_NOSIGNAL) == static_cast<ssize_t>(length))
            sent.append(reinterpret_cast<const char*>(at), length);
        at = end == input + size ? end : end + 1;
        server.turn();
    }
    server.turn();
    const std::size_t line = sent.find('\n');
    const bool is_asked = line < ControlSession::kMaxRequest,
               too_long = !is_asked && sent.size() >= ControlSession::kMaxRequest;
    const auto text = read_answer(client);
    require(text.has_value() == (is_asked || too_long), "a whole line is answered, and nothing else");
    if (text) {
        require(!text->empty() && text->back() == '\n', "an answer is a line");
        require(fuzz::is_json_object(std::string_view(*text).substr(0, text->size() - 1)), "an answer is one object");
    }
    ::close(client);
    server.turn();
    return 0;
}
