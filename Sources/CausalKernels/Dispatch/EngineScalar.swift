@_exported public import CausalKernelInterface
internal import CausalKernelsPortable
internal import CausalKernelsV3
internal import CausalKernelsV4
internal import CNumerics
internal import Glibc

/// The precision of a model: `Float` or `Double`. No other type can conform, since kernels exist for these two.
public protocol EngineScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable, LapackScalar {
    /// Our own kernels, in the version that this processor runs best.
    static var kernels: any KernelSet<Self>.Type { get }

    /// `float32` or `float64`, as numpy, PyTorch and safetensors readers know it.
    static var typeName: String { get }

    /// Doubles as this type, and back: loops that are compiled for each type, where generic code would ask what it is at every number.
    static func narrow(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Self>, count: Int)
    static func widen(_ x: UnsafePointer<Self>, into y: UnsafeMutablePointer<Double>, count: Int)

    /// BLAS `gemm`, row-major, on the caller's thread: `c = a b + beta c`, each operand optionally transposed.
    static func gemm(transposeA: Bool, transposeB: Bool, rows: Int, columns: Int, depth: Int,
                     _ a: UnsafePointer<Self>, strideA: Int, _ b: UnsafePointer<Self>, strideB: Int,
                     beta: Self, _ c: UnsafeMutablePointer<Self>, strideC: Int)

    /// BLAS `syrk`, row-major, on the caller's thread: the lower triangle of `c += a aᵀ`, with c of `rows` squared.
    static func syrk(_ a: UnsafePointer<Self>, rows: Int, depth: Int, stride: Int, addingTo c: UnsafeMutablePointer<Self>)
}

/// The x86-64 level whose kernels run here: 4 has AVX-512, 3 AVX2 and FMA, 0 is for any processor. `CAUSAL_KERNELS=v3` or `portable` chooses
/// older ones than the processor could run, to compare or to test them.
private let level: Int32 = {
    let choice = getenv("CAUSAL_KERNELS").map { String(cString: $0) }
    let newest: Int32 = choice == "portable" ? 0 : choice == "v3" ? 3 : 4
    return min(newest, causal_processor_level())
}()

/// OpenBLAS starts a thread for every processor unless told otherwise; our own threads divide the work instead, in
/// chunks that do not depend on their number.
private let blasIsSingleThreaded: Void = openblas_set_num_threads(1)

extension Float: EngineScalar {
    public static let kernels: any KernelSet<Float>.Type = switch level {
    case 4: CausalKernelsV4.FloatKernels.self
    case 3: CausalKernelsV3.FloatKernels.self
    default: CausalKernelsPortable.FloatKernels.self
    }
    public static var typeName: String { "float32" }
    public static func narrow(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Float>, count: Int) { for i in 0..<count { y[i] = Float(x[i]) } }
    public static func widen(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Double>, count: Int) { for i in 0..<count { y[i] = Double(x[i]) } }

    public static func gemm(transposeA: Bool, transposeB: Bool, rows: Int, columns: Int, depth: Int,
                            _ a: UnsafePointer<Float>, strideA: Int, _ b: UnsafePointer<Float>, strideB: Int,
                            beta: Float, _ c: UnsafeMutablePointer<Float>, strideC: Int) {
        _ = blasIsSingleThreaded
        cblas_sgemm(CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                    blasint(rows), blasint(columns), blasint(depth), 1, a, blasint(strideA), b, blasint(strideB),
                    beta, c, blasint(strideC))
    }

    public static func syrk(_ a: UnsafePointer<Float>, rows: Int, depth: Int, stride: Int, addingTo c: UnsafeMutablePointer<Float>) {
        _ = blasIsSingleThreaded
        cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, blasint(rows), blasint(depth), 1, a, blasint(stride), 1, c, blasint(rows))
    }
}

extension Double: EngineScalar {
    public static let kernels: any KernelSet<Double>.Type = switch level {
    case 4: CausalKernelsV4.DoubleKernels.self
    case 3: CausalKernelsV3.DoubleKernels.self
    default: CausalKernelsPortable.DoubleKernels.self
    }
    public static var typeName: String { "float64" }
    public static func narrow(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int) { for i in 0..<count { y[i] = Double(x[i]) } }
    public static func widen(_ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int) { for i in 0..<count { y[i] = Double(x[i]) } }

    public static func gemm(transposeA: Bool, transposeB: Bool, rows: Int, columns: Int, depth: Int,
                            _ a: UnsafePointer<Double>, strideA: Int, _ b: UnsafePointer<Double>, strideB: Int,
                            beta: Double, _ c: UnsafeMutablePointer<Double>, strideC: Int) {
        _ = blasIsSingleThreaded
        cblas_dgemm(CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                    blasint(rows), blasint(columns), blasint(depth), 1, a, blasint(strideA), b, blasint(strideB),
                    beta, c, blasint(strideC))
    }

    public static func syrk(_ a: UnsafePointer<Double>, rows: Int, depth: Int, stride: Int, addingTo c: UnsafeMutablePointer<Double>) {
        _ = blasIsSingleThreaded
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blasint(rows), blasint(depth), 1, a, blasint(stride), 1, c, blasint(rows))
    }
}
