import CausalEngine
import CausalKernels

/// The engine's own kernels in single precision, and BLAS beside them.
enum KernelCases {
    static var all: [Case] { products + activations + elementwise + losses + optimisers }
    private static var kernels: any KernelSet<Float>.Type { Float.kernels }

    /// Rows, columns, depth.
    private static let sizes = [(32, 16, 3), (32, 16, 16), (32, 1, 16), (800, 16, 16), (256, 64, 64), (256, 256, 256), (1024, 1024, 1024)]

    private static var products: [Case] {
        sizes.flatMap { rows, columns, depth in
            let size = "\(rows)x\(columns)x\(depth)", operations = 2 * rows * columns * depth
            return [
                Case("multiply \(size)", operations: operations) {
                    let width = kernels.tileColumns, panels = numbers(depth * ((columns + width - 1) / width * width))
                    let a = numbers(rows * depth), b = numbers(depth * columns), bias = numbers(columns), c = numbers(rows * columns)
                    return {
                        kernels.pack(b, depth: depth, columns: columns, rowStride: columns, columnStride: 1, width: kernels.tileColumns, into: panels)
                        kernels.multiply(a, rowStride: depth, stepStride: 1, tileStride: kernels.tileRows * depth, panels: panels, bias: bias, activation: .relu,
                                         accumulate: false, into: c, stride: columns, rows: rows, columns: columns, depth: depth)
                    }
                },
                Case("blas \(size)", operations: operations) {
                    let a = numbers(rows * depth), b = numbers(depth * columns), c = numbers(rows * columns)
                    return {
                        Float.gemm(transposeA: false, transposeB: false, rows: rows, columns: columns, depth: depth, a, strideA: depth, b,
                                   strideB: columns, beta: 0, c, strideC: columns)
                    }
                },
            ]
        }
    }

    private static var activations: [Case] {
        Activation.allCases.flatMap { activation in
            let count = 4096
            return [
                Case("\(activation.rawValue) \(count)") {
                    let x = numbers(count), y = numbers(count)
                    return { kernels.activate(activation, x, into: y, count: count) }
                },
                Case("\(activation.rawValue) gradient \(count)") {
                    let x = numbers(count), y = numbers(count), g = numbers(count)
                    kernels.activate(activation, x, into: y, count: count)
                    return { kernels.activationGradient(activation, output: y, input: x, gradient: g, into: g, count: count) }
                },
            ]
        }
    }

    private static var elementwise: [Case] {
        [
            Case("column sums 256x256", operations: 256 * 256) {
                let x = numbers(256 * 256), sums = numbers(256)
                return { kernels.columnSums(x, rows: 256, columns: 256, accumulate: false, into: sums) }
            },
            Case("select 256x64") {
                let x = numbers(256 * 64), values = numbers(256 * 64), y = numbers(256 * 64), mask = bytes(rows: 256, columns: 64)
                return {
                    kernels.select(x, mask: mask, maskStride: 64, values: values, valueStride: 64, into: y, rows: 256, columns: 64)
                }
            },
            Case("select gradient 256x64") {
                let g = numbers(256 * 64), mask = bytes(rows: 256, columns: 64)
                return { kernels.selectGradient(g, mask: mask, maskStride: 64, valueGradient: nil, valueStride: 64, rows: 256, columns: 64) }
            },
            Case("first non-finite 65536") {
                let x = numbers(65_536)
                return { precondition(kernels.firstNonFinite(x, count: 65_536) == 65_536) }
            },
        ]
    }

    private static var losses: [Case] {
        [
            Case("squared error 256x8") {
                let prediction = numbers(2048), target = numbers(2048), gradient = numbers(2048)
                return {
                    _ = kernels.squaredError(prediction, target, weights: nil, scale: 1, gradient: gradient, accumulate: false, count: 2048)
                }
            },
            Case("cross-entropy 256x8") {
                let logits = numbers(2048), classes = numbers(256), gradient = numbers(2048)
                for row in 0..<256 { classes[row] = Float(row % 8) }
                return {
                    _ = kernels.crossEntropy(logits: logits, classes: classes, weights: nil, scale: 1, gradient: gradient, accumulate: false,
                                             rows: 256, columns: 8)
                }
            },
        ]
    }

    private static var optimisers: [Case] {
        [353, 150_280].map { count in
            Case("Adam \(count)") {
                let p = numbers(count), g = numbers(count), m = numbers(count), v = numbers(count)
                for i in 0..<count { v[i] = v[i] * v[i] }
                return {
                    _ = kernels.stepAdam(p, gradient: g, mean: m, variance: v, step: 1000, rate: 1e-6, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                                         decay: 0, decoupled: false, count: count)
                }
            }
        }
    }

    private static func bytes(rows: Int, columns: Int) -> UnsafeMutablePointer<UInt8> {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: rows * columns)
        for (row, set) in thirdSet(rows: rows, columns: columns).enumerated() {
            for (column, isSet) in set.enumerated() { memory[row * columns + column] = isSet ? 1 : 0 }
        }
        return memory
    }
}
