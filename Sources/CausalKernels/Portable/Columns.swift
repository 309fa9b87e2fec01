public import CausalKernelInterface

// A layer on columns: four vectors of rows by two outputs stay in eight registers while the loop runs over the inputs. A layer of one or two
// inputs does as well as a wide one, since what fills the lanes is rows.

extension VectorKernels {
    @inline(__always) public static var columnBlock: Int { 4 * Vector.scalarCount }

    public static func combine(_ x: UnsafePointer<Scalar>, inputs: Int, weights: UnsafePointer<Scalar>, outputStride: Int, inputStride: Int,
                               bias: UnsafePointer<Scalar>?, activation: Activation, into y: UnsafeMutablePointer<Scalar>, outputs: Int,
                               stride: Int, targetStride: Int, rows: Int) {
        switch activation {
        case .relu: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, targetStride, rows) { $0.rectified() }
        case .leakyRelu: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, targetStride, rows) { $0.leaky(0.01) }
        default: combine(x, inputs, weights, outputStride, inputStride, bias, y, outputs, stride, targetStride, rows) { $0 }
        }
    }

    @inline(__always)
    private static func combine(_ x: UnsafePointer<Scalar>, _ inputs: Int, _ weights: UnsafePointer<Scalar>, _ outputStride: Int, _ inputStride: Int,
                                _ bias: UnsafePointer<Scalar>?, _ y: UnsafeMutablePointer<Scalar>, _ outputs: Int, _ stride: Int, _ targetStride: Int,
                                _ rows: Int, _ f: (Vector) -> Vector) {
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
                let target = y + output * targetStride + block, next = target + targetStride
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
                let target = y + output * targetStride + block
                f(a0).store(to: target)
                f(a1).store(to: target + lanes)
                f(a2).store(to: target + 2 * lanes)
                f(a3).store(to: target + 3 * lanes)
            }
        }
    }

    public static func columnProducts(_ g: UnsafePointer<Scalar>, outputs: Int, _ x: UnsafePointer<Scalar>, inputs: Int, stride: Int, rows: Int,
                                      accumulate: Bool, into c: UnsafeMutablePointer<Scalar>) {
        let lanes = Vector.scalarCount
        for output in Swift.stride(from: 0, to: outputs, by: 4) {
            // A tile that hangs over the edge reads the last column again and does not store what comes of it.
            let g0 = g + output * stride, g1 = g + min(output + 1, outputs - 1) * stride
            let g2 = g + min(output + 2, outputs - 1) * stride, g3 = g + min(output + 3, outputs - 1) * stride
            for input in Swift.stride(from: 0, to: inputs, by: 2) {
                let x0 = x + input * stride, x1 = x + min(input + 1, inputs - 1) * stride
                var a0 = Vector(repeating: 0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0
                for row in Swift.stride(from: 0, to: rows, by: lanes) {
                    let left = Vector.load(x0 + row), right = Vector.load(x1 + row)
                    let a = Vector.load(g0 + row), b = Vector.load(g1 + row), c = Vector.load(g2 + row), d = Vector.load(g3 + row)
                    a0 = a0.adding(a, times: left)
                    a1 = a1.adding(a, times: right)
                    b0 = b0.adding(b, times: left)
                    b1 = b1.adding(b, times: right)
                    c0 = c0.adding(c, times: left)
                    c1 = c1.adding(c, times: right)
                    d0 = d0.adding(d, times: left)
                    d1 = d1.adding(d, times: right)
                }
                let hasRight = input + 1 < inputs
                @inline(__always) func put(_ k: Int, _ left: Vector, _ right: Vector) {
                    guard output + k < outputs else { return }
                    let target = c + (output + k) * inputs + input
                    target[0] = (accumulate ? target[0] : 0) + left.total()
                    if hasRight { target[1] = (accumulate ? target[1] : 0) + right.total() }
                }
                put(0, a0, a1)
                put(1, b0, b1)
                put(2, c0, c1)
                put(3, d0, d1)
            }
        }
    }

    public static func columnTotals(_ g: UnsafePointer<Scalar>, columns: Int, stride: Int, rows: Int, accumulate: Bool,
                                    into sums: UnsafeMutablePointer<Scalar>) {
        let lanes = Vector.scalarCount
        for column in 0..<columns {
            var place = g + column * stride
            var a = Vector(repeating: 0), b = a, c = a, d = a
            for _ in Swift.stride(from: 0, to: rows, by: columnBlock) {
                a = a + .load(place)
                b = b + .load(place + lanes)
                c = c + .load(place + 2 * lanes)
                d = d + .load(place + 3 * lanes)
                place += columnBlock
            }
            sums[column] = (accumulate ? sums[column] : 0) + ((a + b) + (c + d)).total()
        }
    }
}
