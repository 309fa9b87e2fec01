// swift-tools-version: 6.3
import PackageDescription

// Kernels and plans one by one, apart from the tests, so that these do not wait for it. `make bench-kernels` runs it.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "Causal", path: "../..")],
    targets: [
        .executableTarget(name: "Benchmarks", dependencies: [.product(name: "CausalEngine", package: "Causal")]),
    ]
)
