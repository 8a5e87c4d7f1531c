// SPDX-License-Identifier: Apache-2.0
// What nfstreamd knows of its host of plugins in Python, a shared object of the
// same build that is loaded when the first such plugin is configured. Control
// thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/metering/flow_extension.hpp"
#include "core/plugin/plugin_options.hpp"
#include "core/record/declared_fields.hpp"
#include "core/record/template.hpp"

namespace nfstreamd::daemon {

struct PythonField {  // that the configuration gives a type
    std::string name;
    IeType type;
    friend bool operator==(const PythonField&, const PythonField&) = default;
};

struct PythonPluginOptions {
    PluginOptions plugin;    // its path: of the file, or the name of a module
    std::string class_name;  // class, instance or function in it; "": the only NFPlugin there
    std::string generation;  // of nfstream, by its name; "": the plugin tells
    std::vector<PythonField> fields;
};

// What a configuration has besides, which the plugin may not contradict.
struct PythonPluginContext {
    const FieldSelection& before;  // fields of plugins before it
    const FieldSelection& shared;  // of these, of plugins in Python, which it may give values as well
    const FieldGroups& groups;     // attributes that flows have
};

class PythonHost {
public:
    // declare_field() of nfstreamd, whose fields they are.
    using Declare = std::function<Result<const InformationElement*>(const FieldDeclaration&)>;

    // Runs the file and makes an instance, which is the first meter's. The interpreter is started for the first one.
    virtual Result<std::shared_ptr<FlowExtension>> load(const PythonPluginOptions& options,
                                                        const PythonPluginContext& context, const Declare& declare,
                                                        Logger& logger) = 0;

protected:
    ~PythonHost() = default;
};

inline constexpr const char* kPythonHostSymbol = "nfstreamd_python_host";
inline constexpr std::uint32_t kPythonHostAbi = 1;

struct PythonHostTable {
    std::uint32_t abi;
    const char* version;  // of nfstreamd: it goes with no other
    PythonHost* host;     // lives as long as the process
};

}  // namespace nfstreamd::daemon
