// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/host/interpreter.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/plugin/plugin_text.hpp"
#include "daemon/python/host/embedded_files.hpp"
#include "daemon/python/packet_object.hpp"

namespace nfstreamd::python {
namespace {

// Whoever waits for the interpreter gets it so soon, although a plugin is being loaded.
constexpr const char* kSwitch = "import sys; sys.setswitchinterval(0.0005)";
constexpr const char* kInterpreterVariable = "NFSTREAMD_PYTHON";  // of a virtual environment

thread_local const PythonCall::Speaker* speaker = nullptr;

PyObject* log_line(PyObject*, PyObject* line) {
    Py_ssize_t size = 0;
    const char* octets = PyUnicode_AsUTF8AndSize(line, &size);
    if (octets == nullptr) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const std::string text = plugin_text({octets, static_cast<std::size_t>(size)});
    if (text.find_first_not_of(' ') == std::string::npos) Py_RETURN_NONE;
    if (speaker == nullptr) {  // a thread of its own
        std::fprintf(stderr, "%s\n", text.c_str());
        Py_RETURN_NONE;
    }
    const std::int64_t held_back = speaker->limit != nullptr ? speaker->limit->admit() : 0;
    if (held_back >= 0)
        speaker->logger->info(
            "plugin says",
            {{"plugin", speaker->plugin}, {"meter", speaker->meter}, {"message", text}, {"held_back", held_back}});
    Py_RETURN_NONE;
}

PyObject* refuse(PyObject*, PyObject*) {
    PyErr_SetString(PyExc_RuntimeError, "nfstreamd reads the packets itself");
    return nullptr;
}

PyMethodDef functions[] = {{"log", log_line, METH_O, "A line for nfstreamd's log."},
                           {"start", refuse, METH_O, "Is the daemon's."},
                           {nullptr, nullptr, 0, nullptr}};
PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "nfstreamd._engine",
                          "The engine as plugins in the daemon see it.",
                          -1,
                          functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

Error failure(const char* what, std::string_view why) {
    return {ErrorCode::kInternal, fmt::format("the Python interpreter {}: {}", what, why), ""};
}

std::string python_error() {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    const Reference held[] = {Reference(type), Reference(value), Reference(trace)};
    const Reference text(value != nullptr ? PyObject_Str(value) : nullptr);
    const char* octets = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    const std::string line = plugin_text(octets != nullptr ? octets : "an error without a text");
    PyErr_Clear();
    return type != nullptr ? fmt::format("{}: {}", reinterpret_cast<PyTypeObject*>(type)->tp_name, line) : line;
}

Reference dictionary_of_files() {
    Reference files(PyDict_New());
    for (const EmbeddedFile& file : embedded_files()) {
        const Reference text(PyUnicode_FromStringAndSize(file.text.data(), static_cast<Py_ssize_t>(file.text.size())));
        if (!files || !text || PyDict_SetItemString(files.get(), file.name, text.get()) != 0) return {};
    }
    return files;
}

// At the end of the process: what plugins have asked to be called then is called.
struct AtEnd {
    PyObject* hosting = nullptr;
    ~AtEnd() {
        if (hosting == nullptr) return;
        const InterpreterLock lock;
        const Reference done(PyObject_CallMethod(hosting, "at_end", nullptr));
        PyErr_Clear();
    }
} at_end;

}  // namespace

Result<Interpreter*> Interpreter::get() {
    static Interpreter* started = nullptr;
    if (started != nullptr) return started;
    auto* interpreter = new Interpreter();  // as long as the process
    if (Status status = interpreter->start(); !status) return status.error();
    return started = interpreter;
}

Status Interpreter::start() {
    if (Py_IsInitialized()) return failure("is of no use", "it could not be prepared before");
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    config.write_bytecode = 0;
    const char* given = std::getenv(kInterpreterVariable);
    const char* program = given != nullptr && *given != '\0' ? given : NFSTREAMD_PYTHON;
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, program);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return failure("does not start", status.err_msg != nullptr ? status.err_msg : "for no reason that it tells");
    Status prepared = prepare();
    PyEval_SaveThread();
    return prepared;
}

Status Interpreter::prepare() {
    const auto failed = [] { return failure("cannot be prepared", python_error()); };
    if (PyRun_SimpleString(kSwitch) != 0) return failure("cannot be prepared", "module sys");
    PyObject* engine = PyModule_Create(&definition);
    PyTypeObject* flow = make_flow_type();
    packet_type_ = Reference(reinterpret_cast<PyObject*>(make_packet_type()));
    if (engine == nullptr || flow == nullptr || !packet_type_) return failed();
    PyModule_AddObject(engine, "Flow", reinterpret_cast<PyObject*>(flow));
    PyModule_AddObjectRef(engine, "NFPacket", packet_type_.get());
    PyModule_AddStringConstant(engine, "__version__", NFSTREAMD_VERSION);
    PyDict_SetItemString(PyImport_GetModuleDict(), "nfstreamd._engine", engine);
    Py_DECREF(engine);

    const Reference names(PyDict_New());
    PyDict_SetItemString(names.get(), "__builtins__", PyEval_GetBuiltins());
    PyDict_SetItemString(names.get(), "__name__", Reference(PyUnicode_FromString("nfstreamd_bootstrap")).get());
    const Reference code(Py_CompileString(bootstrap(), "<nfstreamd>/bootstrap.py", Py_file_input));
    const Reference ran(code ? PyEval_EvalCode(code.get(), names.get(), names.get()) : nullptr);
    const Reference files = dictionary_of_files();
    PyObject* begin = ran ? PyDict_GetItemString(names.get(), "start") : nullptr;
    if (begin == nullptr || !files) return failed();
    hosting_ = Reference(PyObject_CallOneArg(begin, files.get()));
    if (!hosting_) return failed();
    const auto find = [](const char* module, const char* name) {
        const Reference imported(PyImport_ImportModule(module));
        return Reference(imported ? PyObject_GetAttrString(imported.get(), name) : nullptr);
    };
    base_ = find("nfstreamd.plugin", "NFPlugin");
    udps_ = find("nfstreamd.flow", "UDPS");
    flow_types_[0] = find("nfstreamd.nfstream0", "Flow");
    flow_types_[1] = find("nfstreamd.nfstream3", "NFEntry");
    flow_types_[2] = find("nfstreamd.flow", "NFlow");
    if (PyErr_Occurred()) return failed();
    at_end.hosting = hosting_.get();
    return ok();
}

PluginTypes Interpreter::types(long generation) const {
    return {reinterpret_cast<PyTypeObject*>(flow_types_[generation / 3].get()),
            reinterpret_cast<PyTypeObject*>(packet_type_.get()), generation == 6 ? udps_.get() : nullptr, base_.get()};
}

std::string Interpreter::take_error() const {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value != nullptr && trace != nullptr) PyException_SetTraceback(value, trace);
    const Reference held[] = {Reference(type), Reference(value), Reference(trace)};
    if (value == nullptr) return "an error without a text";
    const Reference problem(PyObject_GetAttrString(hosting(), "Problem"));
    const bool is_told = problem && PyObject_IsInstance(value, problem.get()) == 1;
    const Reference text(is_told ? PyObject_Str(value) : PyObject_CallMethod(hosting(), "explain", "O", value));
    const char* octets = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    std::string line = plugin_text(octets != nullptr ? octets : reinterpret_cast<PyTypeObject*>(type)->tp_name);
    PyErr_Clear();
    return line;
}

PythonCall::PythonCall(std::string_view plugin, std::string_view meter, Logger& logger, RateLimit* limit) noexcept
    : speaker_{plugin, meter, &logger, limit}, before_(std::exchange(speaker, &speaker_)) {}

PythonCall::~PythonCall() {
    speaker = before_;
}

}  // namespace nfstreamd::python
