public import CausalKernelInterface

// A layer on columns: four vectors of rows by two outputs stay in eight registers while the loop runs over the inputs. A layer of one or two
// inputs does as well as a wide one, since what fills the lanes is rows.

extension VectorKernels {
    @inline(__always) public static var columnBlock: Int { 4 * Vector.scalarCount }

    public static func combine(_ x: UnsafePointer<Scalar>, inputs: Int, weights: UnsafePointer<Scalar>, outputStride: Int, inputStride: Int,
                               bias: UnsafePointer<Scalar>?, activation: Activation, into y: UnsafeMutablePointer<Scalar>, outputs: Int,
                               stride: Int, rows: Int) {
        switch activation {
        case .relu: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, rows) { $0.rectified() }
        case .leakyRelu: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, rows) { $0.leaky(0.01) }
        default: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, rows) { $0 }
        }
    }

    @inline(__always)
    private static func combine(_ x: UnsafePointer<Scalar>, _ inputs: Int, _ weights: UnsafePointer<Scalar>, _ outputStride: Int, _ inputStride: Int,
                                _ bias: UnsafePointer<Scalar>?, _ y: UnsafeMutablePointer<Scalar>, _ outputs: Int, _ stride: Int, _ rows: Int,
                                _ f: (Vector) -> Vector) {
        let lanes = Vector.scalarCount
        for block in Swift.stride(from: 0, to: rows, by: columnBlock) {
            var output = 0
            while output + 2 <= outputs {
                let low = Vector(repeating: bias?[output] ?? 0), high = Vector(repeating: bias?[output + 1] ?? 0)
                var a0 = low, a1 = low, a2 = low, a3 = low, b0 = high, b1 = high, b2 = high, b3 = high
                var a = weights + output * outputStride, column = x + block
                for _ in 0..<inputs {
                    let x0 = Vector.load(column), x1 = Vector.load(column + lanes)
                    let x2 = Vector.load(column + 2 * lanes), x3 = Vector.load(column + 3 * lanes)
                    let first = Vector(repeating: a[0]), second = Vector(repeating: a[outputStride])
                    a0 = a0.adding(x0, times: first)
                    a1 = a1.adding(x1, times: first)
                    a2 = a2.adding(x2, times: first)
                    a3 = a3.adding(x3, times: first)
                    b0 = b0.adding(x0, times: second)
                    b1 = b1.adding(x1, times: second)
                    b2 = b2.adding(x2, times: second)
                    b3 = b3.adding(x3, times: second)
                    a += inputStride
                    column += stride
                }
                let target = y + output * stride + block, next = target + stride
                f(a0).store(to: target)
                f(a1).store(to: target + lanes)
                f(a2).store(to: target + 2 * lanes)
                f(a3).store(to: target + 3 * lanes)
                f(b0).store(to: next)
                f(b1).store(to: next + lanes)
                f(b2).store(to: next + 2 * lanes)
                f(b3).store(to: next + 3 * lanes)
                output += 2
            }
            if output < outputs {
                let start = Vector(repeating: bias?[output] ?? 0)
                var a0 = start, a1 = start, a2 = start, a3 = start
                var a = weights + output * outputStride, column = x + block
                for _ in 0..<inputs {
                    let weight = Vector(repeating: a[0])
                    a0 = a0.adding(.load(column), times: weight)
                    a1 = a1.adding(.load(column + lanes), times: weight)
                    a2 = a2.adding(.load(column + 2 * lanes), times: weight)
                    a3 = a3.adding(.load(column + 3 * lanes), times: weight)
                    a += inputStride
                    column += stride
                }
                let target = y + output * stride + block
                f(a0).store(to: target)
                f(a1).store(to: target + lanes)
                f(a2).store(to: target + 2 * lanes)
                f(a3).store(to: target + 3 * lanes)
            }
        }
    }
}
