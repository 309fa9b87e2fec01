// swift-tools-version: 6.3
import PackageDescription

// A package with unsafe flags cannot be a versioned dependency of another one, so they are used only where the
// Makefile asks for them. The plain build is the same code, correct, and slower.
//   CAUSAL_TUNED=1   compile the kernels also for x86-64-v3 and v4, and lift checks that cost the hot path
//   CAUSAL_STATIC=1  one libCausal.so that needs no Swift and no OpenBLAS at run time
let tuned = Context.environment["CAUSAL_TUNED"] == "1"
let standalone = Context.environment["CAUSAL_STATIC"] == "1"

let swift: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
] + (tuned ? [.unsafeFlags(["-enforce-exclusivity=unchecked", "-Xcc", "-fno-math-errno"], .when(configuration: .release))] : [])

#if arch(x86_64)
// addingProduct is one instruction only where the target has FMA; elsewhere it would be a call for each lane.
let v3: [SwiftSetting] = tuned ? [.define("CAUSAL_FMA"), .unsafeFlags(["-Xcc", "-march=x86-64-v3"])] : []
let v4: [SwiftSetting] = tuned ? [.define("CAUSAL_FMA"), .define("CAUSAL_AVX512"), .unsafeFlags(["-Xcc", "-march=x86-64-v4"])] : []
#else
let v3: [SwiftSetting] = [], v4: [SwiftSetting] = []
#endif

let openBLAS: [LinkerSetting] = standalone
    ? [.unsafeFlags(["-Xlinker", "-l:libopenblas.a"])]
    : [.linkedLibrary("openblas")]
let sharedObject: [LinkerSetting] = standalone
    ? [.unsafeFlags([
        "-static-stdlib", "-use-ld=lld", "-Xlinker", "-soname=libCausal.so",
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/CausalABI/exports.map",
        "-Xlinker", "--gc-sections", "-Xlinker", "-s", "-Xlinker", "-z", "-Xlinker", "defs",
    ])]
    : []
let header: [CSetting] = [.headerSearchPath("../../../include")]

let package = Package(
    name: "Causal",
    products: [
        .library(name: "Causal", type: .dynamic, targets: ["CausalABI"]),
        .library(name: "CausalEngine", targets: ["CausalEngine"]),
    ],
    targets: [
        .systemLibrary(name: "CCausal", path: "include"),
        .target(name: "CNumerics", path: "Sources/CNumerics", publicHeadersPath: ".", cSettings: standalone ? [.define("CAUSAL_STATIC")] : []),

        .target(name: "CausalKernelInterface", path: "Sources/CausalKernels/Interface", swiftSettings: swift),
        .target(name: "CausalKernelsPortable", dependencies: ["CausalKernelInterface", "CNumerics"],
                path: "Sources/CausalKernels/Portable", swiftSettings: swift, linkerSettings: [.linkedLibrary("m")]),
        // Symlinks to the folder above: the same kernels, compiled for processors with AVX2 and FMA, and with AVX-512.
        .target(name: "CausalKernelsV3", dependencies: ["CausalKernelInterface", "CNumerics"],
                path: "Sources/CausalKernels/V3", swiftSettings: swift + v3, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CausalKernelsV4", dependencies: ["CausalKernelInterface", "CNumerics"],
                path: "Sources/CausalKernels/V4", swiftSettings: swift + v4, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CausalKernels",
                dependencies: ["CausalKernelInterface", "CausalKernelsPortable", "CausalKernelsV3", "CausalKernelsV4", "CNumerics"],
                path: "Sources/CausalKernels/Dispatch", swiftSettings: swift, linkerSettings: openBLAS),

        .target(name: "CausalEngine", dependencies: ["CausalKernels"], swiftSettings: swift),
        .target(name: "CausalABI", dependencies: ["CausalEngine", "CCausal"], exclude: ["exports.map"],
                swiftSettings: swift, linkerSettings: sharedObject),

        .executableTarget(name: "TrainAndIntervene", dependencies: ["CausalABI"], path: "Sources/Examples/TrainAndIntervene",
                          cSettings: header),
        .executableTarget(name: "RewireGraph", dependencies: ["CausalABI"], path: "Sources/Examples/RewireGraph",
                          cSettings: header),
        .executableTarget(name: "CounterfactualDose", dependencies: ["CausalABI"], path: "Sources/Examples/CounterfactualDose",
                          cSettings: header),

        .testTarget(name: "CausalKernelsTests",
                    dependencies: ["CausalKernels", "CausalKernelInterface", "CausalKernelsPortable", "CausalKernelsV3",
                                   "CausalKernelsV4"], swiftSettings: swift),
        .testTarget(name: "CausalEngineTests", dependencies: ["CausalEngine"], swiftSettings: swift),
        .testTarget(name: "CausalABITests", dependencies: ["CausalABI", "CCausal"], swiftSettings: swift),
    ]
)
