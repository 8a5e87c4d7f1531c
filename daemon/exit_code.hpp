// SPDX-License-Identifier: Apache-2.0
// What the programs tell their caller (sysexits.h numbers where it has one),
// and which of them an error of the layers below is.
#pragma once
#include "core/base/result.hpp"

namespace nfstreamd::daemon {

enum ExitCode : int {
    kExitOk = 0,
    kExitFailure = 1,         // something broke at run time, or the ledger does not balance at its end
    kExitUsage = 2,           // the command line is wrong
    kExitUnavailable = 69,    // a required interface or collector is not there
    kExitPermission = 77,     // not permitted to capture
    kExitConfiguration = 78,  // the configuration is wrong
};

constexpr ExitCode exit_code(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kPermission:
            return kExitPermission;
        case ErrorCode::kUnavailable:
            return kExitUnavailable;
        case ErrorCode::kInvalidArgument:
            return kExitConfiguration;
        default:
            return kExitFailure;
    }
}

}  // namespace nfstreamd::daemon
