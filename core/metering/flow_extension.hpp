// SPDX-License-Identifier: Apache-2.0
// Something that the configuration adds to every meter, as a plugin: it says
// which fields it fills and makes a hook for each metering process. Control
// thread, but for status() and what the hooks do.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/metering/flow_hook.hpp"
#include "core/record/template.hpp"

namespace nfstreamd {

struct ScoreStatus {  // of a model
    std::string path, objective;
    std::uint64_t features = 0;
    std::uint64_t scored = 0;    // flows
    std::uint64_t early = 0;     // of these, before their end
    std::uint64_t unscored = 0;  // flows, as the instance is disabled
    struct Shadow {
        std::string path;
        std::uint64_t disabled = 0;  // instances
        std::uint64_t compared = 0, agreed = 0;
        double mean_difference = 0;  // of probabilities of one class, or of values
    };
    std::optional<Shadow> shadow;
};

struct FlowExtensionStatus {      // over all hooks that it has made
    std::uint64_t instances = 0;  // that there are now
    std::uint64_t disabled = 0;   // of these, that are not called any more
    std::uint64_t flows = 0, packets = 0;
    std::uint64_t errors = 0;      // calls that failed
    std::uint64_t slow_calls = 0;  // of those that were measured
    std::string reason;            // of the last one that was disabled
    std::optional<ScoreStatus> scores{};
};

class FlowExtension {
public:
    virtual ~FlowExtension() = default;

    virtual std::string_view name() const noexcept = 0;
    virtual const FieldSelection& fields()
        const noexcept = 0;  // declared (declared_fields.hpp), in the order of columns
    // The hook may outlive the extension, not what it is made of. Destroyed once, by the metering thread or after it.
    virtual Result<std::unique_ptr<FlowHook>> make_hook(const std::string& meter, Logger& logger) = 0;
    virtual FlowExtensionStatus status() const = 0;  // any thread
};

// An extension in one metering process. `hook` null: the one that it has there already.
struct HookLink {
    std::shared_ptr<FlowExtension> extension;
    std::shared_ptr<FlowHook> hook;
};

}  // namespace nfstreamd
