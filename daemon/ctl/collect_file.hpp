// SPDX-License-Identifier: Apache-2.0
// Reads a file of IPFIX messages (RFC 5655), or standard input, to its end or
// to a signal. From a datagram socket each read is one message, of NetFlow, too.
// Signals are blocked before (daemon/signals.hpp).
#pragma once
#include <string>

#include "core/base/result.hpp"
#include "daemon/ctl/line_output.hpp"
#include "exporters/ipfix/message_reader.hpp"

namespace nfstreamd::ctl {

using exporters::ipfix::MessageReader;

Status collect_file(const std::string& path, MessageReader& reader, LineOutput& output);

}  // namespace nfstreamd::ctl
