"""What somebody writes who follows the roadmap and no more: Deployments, Services, autoscalers, and a ConfigMap."""

_ONE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: app
          image: shop/{name}:1.4.2
          ports: [{{containerPort: {port}}}]
          envFrom: [{{configMapRef: {{name: settings}}}}]
          env:
            - name: DB_PASSWORD
              valueFrom: {{secretKeyRef: {{name: made-by-hand, key: password}}}}
          livenessProbe: {{grpc: {{port: {port}}}}}
          readinessProbe: {{grpc: {{port: {port}}}}}
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{cpu: 500m, memory: 128Mi}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: {port}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  maxReplicas: 4
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}]
---
"""
_SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {DB_HOST: postgres}
"""
SERVICES = {"booking-service": 50051, "event-service": 50052, "metrics-consumer": 9464}
MANIFESTS = "".join(_ONE.format(name=name, port=port) for name, port in SERVICES.items()) + _SETTINGS
