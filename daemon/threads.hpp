// SPDX-License-Identifier: Apache-2.0
// Starts the process's threads: named, with a stop token, and ending the whole
// process when a body throws, since nobody could say what state it left behind.
#pragma once
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace nfstreamd::daemon {

// The kernel keeps 15 characters of the name.
std::jthread start_thread(const std::string& name, std::function<void(std::stop_token)> body);

}  // namespace nfstreamd::daemon
