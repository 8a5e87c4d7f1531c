# SPDX-License-Identifier: Apache-2.0
# Debian 12's packages; packaging/install-dependencies installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(fmt REQUIRED)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
pkg_check_modules(YAML_CPP REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

# nDPI's pkg-config file of Debian names its include folder; another prefix by NFSTREAMD_NDPI_ROOT.
add_library(nfs_ndpi INTERFACE)
if(NFSTREAMD_NDPI_ROOT)
    find_path(NDPI_INCLUDE_DIR ndpi_api.h PATHS ${NFSTREAMD_NDPI_ROOT}/include/ndpi NO_DEFAULT_PATH REQUIRED)
    find_library(NDPI_LIBRARY ndpi PATHS ${NFSTREAMD_NDPI_ROOT}/lib NO_DEFAULT_PATH REQUIRED)
else()
    find_path(NDPI_INCLUDE_DIR ndpi_api.h PATH_SUFFIXES ndpi REQUIRED)
    find_library(NDPI_LIBRARY ndpi REQUIRED)
endif()
target_include_directories(nfs_ndpi SYSTEM INTERFACE ${NDPI_INCLUDE_DIR})
target_link_libraries(nfs_ndpi INTERFACE ${NDPI_LIBRARY} m ${CMAKE_DL_LIBS})
if(NDPI_LIBRARY MATCHES "[.]a$")
    # of a function that is in the program and in such a library the linker takes neither
    target_compile_definitions(nfs_ndpi INTERFACE NFSTREAMD_NDPI_STATIC)
endif()

if(NFSTREAMD_WITH_IPFIX)
    # libfixbuf.so does not name glib itself: link what pkg-config says
    pkg_check_modules(FIXBUF REQUIRED IMPORTED_TARGET libfixbuf)
endif()

# One library each: what it is for is left out with the option.
foreach(OPTIONAL "KAFKA rdkafka" "MQTT libmosquitto" "ZMQ libzmq" "NATS libnats" "HTTP libcurl" "MAXMINDDB libmaxminddb"
        "METRICS prometheus-cpp-core")
    separate_arguments(OPTIONAL)
    list(GET OPTIONAL 0 NAME)
    list(GET OPTIONAL 1 MODULE)
    if(NFSTREAMD_WITH_${NAME})
        pkg_check_modules(${NAME} REQUIRED IMPORTED_TARGET ${MODULE})
    endif()
endforeach()

if(NFSTREAMD_WITH_XGBOOST)
    pkg_check_modules(XGBOOST REQUIRED xgboost>=1.6)
    pkg_check_modules(NLOHMANN_JSON REQUIRED nlohmann_json)
    # what the library is called where there is no development package
    find_library(XGBOOST_LIBRARY xgboost HINTS ${XGBOOST_LIBRARY_DIRS} REQUIRED)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${XGBOOST_LIBRARY} OUTPUT_VARIABLE XGBOOST_HEADERS ERROR_QUIET)
    string(REGEX MATCH "SONAME +([^ \n]+)" XGBOOST_SONAME "${XGBOOST_HEADERS}")
    if(CMAKE_MATCH_1)
        set(NFSTREAMD_XGBOOST_SONAME ${CMAKE_MATCH_1})
    else()
        get_filename_component(NFSTREAMD_XGBOOST_SONAME ${XGBOOST_LIBRARY} NAME)
    endif()
endif()
